#include "http/response.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <utf8.h>

#include <iterator>

namespace causeway::http {
namespace {

using boost::beast::http::status;

constexpr std::string_view retry_after = "Retry-After: 1\r\n";

std::string json_object(std::string_view name, std::string_view value)
{
    return fmt::format(R"({{"{}":{}}})", name, boost::json::serialize(boost::json::string(value)));
}

// Only what an HTTP/1.0 or an HTTP/1.1 client would not assume anyway (RFC 9112 §9.3).
std::string_view connection_field(const framing& framing)
{
    if (!framing.keep_alive)
        return "Connection: close\r\n";
    return framing.version < 11 ? "Connection: keep-alive\r\n" : "";
}

} // namespace

response found(std::string_view line)
{
    if (utf8::is_valid(line.begin(), line.end()))
        return {status::ok, json_object("data", line)};
    std::string valid;
    utf8::replace_invalid(line.begin(), line.end(), std::back_inserter(valid));
    return {status::ok, json_object("data", valid)};
}

response failed(upstream::failure failure)
{
    switch (failure) {
    case upstream::failure::timed_out:
        return refused(status::gateway_timeout, "timedout");
    case upstream::failure::unavailable:
        return {status::service_unavailable, json_object("error", "unavailable"), retry_after};
    case upstream::failure::overloaded:
        return {status::service_unavailable, json_object("error", "overloaded"), retry_after};
    }
    return refused(status::internal_server_error, "unknown failure");
}

response bad_request(std::string_view problem) { return refused(status::bad_request, problem); }

response not_found() { return refused(status::not_found, "not found"); }

response method_not_allowed()
{
    return {status::method_not_allowed, json_object("error", "use GET or HEAD"), "Allow: GET, HEAD\r\n"};
}

response refused(status status, std::string_view problem) { return {status, json_object("error", problem)}; }

void append(const response& response, const framing& framing, std::chrono::system_clock::time_point now,
            std::string& output)
{
    const std::string_view reason = boost::beast::http::obsolete_reason(response.status);
    fmt::format_to(std::back_inserter(output),
                   "HTTP/1.1 {} {}\r\n"
                   "Date: {:%a, %d %b %Y %H:%M:%S} GMT\r\n"
                   "Content-Type: application/json\r\n"
                   "Content-Length: {}\r\n"
                   "{}{}\r\n"
                   "{}",
                   static_cast<unsigned>(response.status), reason, fmt::gmtime(now), response.body.size(),
                   connection_field(framing), response.field,
                   framing.head_only ? std::string_view() : std::string_view(response.body));
}

} // namespace causeway::http
