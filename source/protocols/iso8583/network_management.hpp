// The messages by which the two ends of a connection look after it: 0800 and 0810.
#pragma once

#include "protocols/iso8583/message.hpp"

#include <chrono>
#include <string_view>

namespace causeway::iso8583 {

// What they are about: values of field 70.
inline constexpr std::string_view sign_on = "001";
inline constexpr std::string_view sign_off = "002";
inline constexpr std::string_view echo_test = "301";

/// An 0800 with fields 7, which tells `now` in UTC, 11, which is `trace` in six digits, and 70, which is `about`.
message network_request(std::string_view about, unsigned trace, std::chrono::system_clock::time_point now);

/// Whether `message`, of class 8, signs on or off, or tests the connection.
bool is_about_the_connection(const message& message) noexcept;

/// Whether it is an 0800 that does.
bool is_network_request(const message& message) noexcept;

/// The 0810 to an 0800: field 39, which is `approved`, and what is to be given back as it came.
message network_response(const message& request);

} // namespace causeway::iso8583
