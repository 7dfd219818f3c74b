// The messages by which the two ends of a connection manage it: 0800 and 0810.
#pragma once

#include "protocols/iso8583/message.hpp"

#include <chrono>
#include <string_view>

namespace causeway::iso8583 {

// Their purposes: values of field 70.
inline constexpr std::string_view sign_on = "001";
inline constexpr std::string_view sign_off = "002";
inline constexpr std::string_view echo_test = "301";

/// An 0800 with fields 7, which is `now` in UTC, 11, which is `trace` in six digits, and 70, which is `about`.
message network_request(std::string_view about, unsigned trace, std::chrono::system_clock::time_point now);

/// Whether `message`, of class 8, signs on or off, or tests the connection.
bool is_about_the_connection(const message& message) noexcept;

/// Whether it is such an 0800.
bool is_network_request(const message& message) noexcept;

/// The 0810 to an 0800: field 39, which is `approved`, and the fields that are returned unchanged.
message network_response(const message& request);

} // namespace causeway::iso8583
