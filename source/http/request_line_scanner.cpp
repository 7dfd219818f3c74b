#include "http/request_line_scanner.hpp"

#include <boost/url/grammar/alnum_chars.hpp>
#include <boost/url/grammar/lut_chars.hpp>

#include <algorithm>
#include <string>

namespace causeway::http {
namespace {

using boost::beast::http::status;
namespace grammar = boost::urls::grammar;

// RFC 9110 §5.6.2
constexpr auto token_chars = grammar::alnum_chars + grammar::lut_chars("!#$%&'*+-.^_`|~");

constexpr bool is_token_char(char c) noexcept { return token_chars(static_cast<unsigned char>(c)); }

constexpr bool is_visible(char c) noexcept
{
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f;
}

// What stands behind the target, and which of it are the version's two digits (RFC 9112 §2.3).
constexpr std::string_view end_of_line = "HTTP/1.1\r\n";
constexpr std::size_t major = 5;
constexpr std::size_t minor = 7;

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// What a client sends first that speaks HTTP/2 without having asked (RFC 9113 §3.4). It could not read an advice to use
// another version.
constexpr std::string_view http2_preface = "PRI * HTTP/2";

refusal bad(std::string_view why)
{
    return {status::bad_request, std::string("this is not an HTTP/1.1 request: ").append(why)};
}

} // namespace

std::optional<refusal> request_line_scanner::scan(std::string_view request)
{
    std::optional<refusal> problem;
    if (part_ == part::method)
        problem = scan_method(request);
    if (part_ == part::target)
        problem = scan_target(request);
    if (part_ == part::version)
        problem = scan_version(request);
    return problem;
}

std::optional<refusal> request_line_scanner::scan_method(std::string_view request)
{
    while (at_ != request.size() && is_token_char(request[at_]))
        ++at_;
    if (at_ > longest_method)
        return refusal{status::not_implemented, "the method is longer than any that is known here"};
    if (at_ == request.size())
        return std::nullopt;
    if (request[at_] != ' ' || at_ == 0)
        return bad("it does not begin with a method");
    begin_behind_space(part::target);
    return std::nullopt;
}

std::optional<refusal> request_line_scanner::scan_target(std::string_view request)
{
    while (at_ != request.size() && is_visible(request[at_]))
        ++at_;
    if (at_ - begin_ > longest_target)
        return refusal{status::uri_too_long, "the request target is longer than 4 KiB"};
    if (at_ == request.size())
        return std::nullopt;
    if (at_ == begin_)
        return bad("there is no target behind the method");
    if (request[at_] != ' ')
        return bad("there is no version behind the target");
    begin_behind_space(part::version);
    return std::nullopt;
}

std::optional<refusal> request_line_scanner::scan_version(std::string_view request)
{
    const auto end = std::min(request.size(), begin_ + end_of_line.size());
    for (; at_ != end; ++at_) {
        const char c = request[at_];
        const auto position = at_ - begin_;
        if (c == end_of_line[position] || (c == '0' && position == minor))
            continue;
        const bool is_another_version = is_digit(c) && (position == major || position == minor);
        if (is_another_version && !request.starts_with(http2_preface))
            return refusal{status::http_version_not_supported, "use HTTP/1.1"};
        return bad("it does not end with HTTP/1.1");
    }
    if (at_ == begin_ + end_of_line.size())
        part_ = part::nothing;
    return std::nullopt;
}

void request_line_scanner::begin_behind_space(part next) noexcept
{
    part_ = next;
    begin_ = ++at_;
}

} // namespace causeway::http
