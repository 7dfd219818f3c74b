// The elements that the program itself uses (ISO 8583:1987); it only passes the others on.
#pragma once

#include <string_view>

namespace causeway::iso8583::field {

inline constexpr unsigned processing_code = 3;
inline constexpr unsigned amount = 4;
inline constexpr unsigned transmission_time = 7;
inline constexpr unsigned trace_number = 11;
inline constexpr unsigned retrieval_reference = 37;
inline constexpr unsigned approval_code = 38;
inline constexpr unsigned response_code = 39;
inline constexpr unsigned terminal = 41;
inline constexpr unsigned information_code = 70;

} // namespace causeway::iso8583::field

namespace causeway::iso8583 {

/// The response code for success.
inline constexpr std::string_view approved = "00";

} // namespace causeway::iso8583
