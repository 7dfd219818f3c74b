#include "http/response.hpp"

#include <boost/json/serializer.hpp>
#include <boost/json/string_view.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <utf8.h>

#include <cstdint>
#include <cstring>
#include <iterator>
#include <utility>

namespace causeway::http {
namespace {

using boost::beast::http::status;

constexpr std::string_view retry_after = "Retry-After: 1\r\n";

// The bulk of what backends say, told apart eight bytes at a time.
bool is_ascii(std::string_view text)
{
    std::uint64_t all_bits = 0;
    while (text.size() >= sizeof all_bits) {
        std::uint64_t eight_bytes = 0;
        std::memcpy(&eight_bytes, text.data(), sizeof eight_bytes);
        all_bits |= eight_bytes;
        text.remove_prefix(sizeof eight_bytes);
    }
    for (const char c : text)
        all_bits |= static_cast<unsigned char>(c);
    return (all_bits & 0x8080'8080'8080'8080) == 0;
}

// With room for escapes in an ordinary line; boost::json::serialize would make a string of its own.
void append_json(std::string_view value, std::string& output)
{
    boost::json::serializer serializer;
    serializer.reset(boost::json::string_view(value.data(), value.size()));
    while (!serializer.done()) {
        const auto size = output.size();
        output.resize(size + value.size() + 16);
        const auto written = serializer.read(output.data() + size, output.size() - size);
        output.resize(size + written.size());
    }
}

std::string status_line(status status)
{
    return fmt::format("HTTP/1.1 {} {}\r\n", static_cast<unsigned>(status),
                       std::string_view(boost::beast::http::obsolete_reason(status)));
}

// Only what an HTTP/1.0 or an HTTP/1.1 client would not assume anyway (RFC 9112 §9.3).
std::string_view connection_field(const framing& framing)
{
    if (!framing.keep_alive)
        return "Connection: close\r\n";
    return framing.version < 11 ? "Connection: keep-alive\r\n" : "";
}

} // namespace

response found(std::string line)
{
    if (is_ascii(line) || utf8::is_valid(line.begin(), line.end()))
        return {status::ok, "data", std::move(line)};
    std::string valid;
    utf8::replace_invalid(line.begin(), line.end(), std::back_inserter(valid));
    return {status::ok, "data", std::move(valid)};
}

response failed(upstream::failure failure)
{
    switch (failure.why) {
    case upstream::failure::timed_out:
        return refused(status::gateway_timeout, "timedout");
    case upstream::failure::unavailable:
        return {status::service_unavailable, "error", "unavailable", retry_after};
    case upstream::failure::overloaded:
        return {status::service_unavailable, "error", "overloaded", retry_after};
    case upstream::failure::connection_lost:
        return refused(status::bad_gateway, "connection lost");
    case upstream::failure::duplicate:
        return refused(status::conflict, "duplicate");
    }
    return refused(status::internal_server_error, "unknown failure");
}

response answered(upstream::outcome outcome)
{
    if (!outcome)
        return failed(outcome.error());
    return found(*std::move(outcome));
}

response bad_request(std::string problem) { return refused(status::bad_request, std::move(problem)); }

response not_found() { return refused(status::not_found, "not found"); }

response method_not_allowed()
{
    return {status::method_not_allowed, "error", "use GET or HEAD", "Allow: GET, HEAD\r\n"};
}

response refused(status status, std::string problem) { return {status, "error", std::move(problem)}; }

std::string date_line(std::chrono::system_clock::time_point now)
{
    return fmt::format("Date: {:%a, %d %b %Y %H:%M:%S} GMT\r\n", fmt::gmtime(now));
}

void append_body(const response& response, std::string& output)
{
    output.append(R"({")").append(response.member).append(R"(":)");
    append_json(response.text, output);
    output += '}';
}

void append(const response& response, const framing& framing, std::string_view date, std::string& output)
{
    if (response.status == status::ok) // which is what nearly all are
        output.append("HTTP/1.1 200 OK\r\n");
    else
        output.append(status_line(response.status));
    output.append(date)
        .append(connection_field(framing))
        .append(response.field)
        .append("Content-Type: application/json\r\n"
                "Content-Length: ");

    // The length is known once the body is there, and to move that by a few bytes costs less than to compose it apart.
    const auto head = output.size();
    append_body(response, output);
    const fmt::format_int length(output.size() - head);
    if (framing.head_only)
        output.resize(head);
    output.insert(head, "\r\n\r\n").insert(head, length.data(), length.size());
}

} // namespace causeway::http
