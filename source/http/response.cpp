#include "http/response.hpp"

#include "http/json.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace causeway::http {
namespace {

using boost::beast::http::status;

// A reason may be empty, unlike the space before it (RFC 9112 §4).
std::string status_line(status status)
{
    const auto number = static_cast<unsigned>(status);
    const bool has_name = boost::beast::http::int_to_status(number) != status::unknown;
    const std::string_view reason = has_name ? boost::beast::http::obsolete_reason(status) : "";
    return fmt::format("HTTP/1.1 {} {}\r\n", number, reason);
}

// RFC 9110 §15.3.5, §15.4.5
bool can_have_content(status status) { return status != status::no_content && status != status::not_modified; }

// Only what an HTTP/1.0 or an HTTP/1.1 client would not assume anyway (RFC 9112 §9.3).
std::string_view connection_field(const framing& framing)
{
    if (!framing.keep_alive)
        return "Connection: close\r\n";
    return framing.version < 11 ? "Connection: keep-alive\r\n" : "";
}

} // namespace

void response::clear()
{
    status = status::ok;
    content_type = json;
    fields.clear();
    body.clear();
}

response refused(status status, std::string_view problem)
{
    response response{.status = status};
    append_json("error", problem, response.body);
    return response;
}

response method_not_allowed(std::string_view allowed)
{
    auto response = refused(status::method_not_allowed, fmt::format("use one of these methods: {}", allowed));
    response.fields = fmt::format("Allow: {}\r\n", allowed);
    return response;
}

response not_now(std::string_view problem)
{
    auto response = refused(status::service_unavailable, problem);
    response.fields = "Retry-After: 1\r\n";
    return response;
}

std::string date_line(std::chrono::system_clock::time_point now)
{
    return fmt::format("Date: {:%a, %d %b %Y %H:%M:%S} GMT\r\n", fmt::gmtime(now));
}

void append(const response& response, const framing& framing, std::string_view date, std::string& output)
{
    if (response.status == status::ok) // which is what nearly all are
        output.append("HTTP/1.1 200 OK\r\n");
    else
        output.append(status_line(response.status));
    output.append(date);
    if (const auto connection = connection_field(framing); !connection.empty())
        output.append(connection);
    if (!framing.request_id.empty())
        output.append("X-Request-Id: ").append(framing.request_id).append("\r\n");
    if (!response.fields.empty())
        output.append(response.fields);
    if (!can_have_content(response.status)) {
        output.append("\r\n");
        return;
    }
    output.append("Content-Type: ").append(response.content_type);
    if (framing.has_length) {
        const fmt::format_int length(response.body.size());
        output.append("\r\nContent-Length: ").append(length.data(), length.size());
    }
    output.append("\r\n\r\n");
    if (!framing.head_only)
        output.append(response.body);
}

} // namespace causeway::http
