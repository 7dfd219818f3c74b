#include "protocols/iso8583/network_management.hpp"

#include "protocols/iso8583/fields.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

namespace causeway::iso8583 {
namespace {

constexpr std::string_view request_mti = "0800";
constexpr std::string_view response_mti = "0810";

// The fields of an 0800 that its 0810 returns: times, trace number, institutions, Postilion's echo data (59), purpose,
// service indicator. None that may contain a key or a security code.
constexpr std::array<unsigned, 10> echoed{7, 11, 12, 13, 32, 33, 59, 70, 94, 100};

} // namespace

message network_request(std::string_view about, unsigned trace, std::chrono::system_clock::time_point now)
{
    message request{.mti = std::string(request_mti), .elements = {}};
    set_text(request, field::transmission_time, fmt::format("{:%m%d%H%M%S}", fmt::gmtime(now)));
    set_text(request, field::trace_number, fmt::format("{:06}", trace));
    set_text(request, field::information_code, about);
    return request;
}

bool is_about_the_connection(const message& message) noexcept
{
    const auto is_about = [&](std::string_view about) { return has_text(message, field::information_code, about); };
    return is_about(sign_on) || is_about(sign_off) || is_about(echo_test);
}

bool is_network_request(const message& message) noexcept
{
    return message.mti == request_mti && is_about_the_connection(message);
}

message network_response(const message& request)
{
    auto response = only(request, echoed);
    response.mti = response_mti;
    set_text(response, field::response_code, approved);
    return response;
}

} // namespace causeway::iso8583
