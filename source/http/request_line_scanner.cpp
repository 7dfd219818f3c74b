#include "http/request_line_scanner.hpp"

#include "http/characters.hpp"

#include <string>

namespace causeway::http {
namespace {

using boost::beast::http::status;

constexpr unsigned char first_visible = ' ' + 1;

// The text after the target, and the places of the version's two digits in it (RFC 9112 §2.3).
constexpr std::string_view end_of_line = "HTTP/1.1\r\n";
constexpr std::size_t major = 5;
constexpr std::size_t minor = 7;

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Where `text` stops matching the end of a line; its size if it matches, or matches so far.
constexpr std::size_t find_wrong(std::string_view text)
{
    std::size_t at = 0;
    while (at != text.size() && (text[at] == end_of_line[at] || (at == minor && text[at] == '0')))
        ++at;
    return at;
}

// What a client sends first if it speaks HTTP/2 without having asked (RFC 9113 §3.4). It could not read advice to use
// another version.
constexpr std::string_view http2_preface = "PRI * HTTP/2";

void refuse(std::optional<refusal>& refused, status status, std::string_view why)
{
    refused = refusal{status, std::string(why)};
}

void refuse(std::optional<refusal>& refused, std::string_view why)
{
    refused = refusal{status::bad_request, std::string("this is not an HTTP/1.1 request: ").append(why)};
}

} // namespace

// A part that is incomplete or wrong leaves the next ones alone.
void request_line_scanner::scan(std::string_view request, std::optional<refusal>& refused)
{
    if (part_ == part::method)
        scan_method(request, refused);
    if (part_ == part::target)
        scan_target(request, refused);
    if (part_ == part::version)
        scan_version(request, refused);
}

void request_line_scanner::scan_method(std::string_view request, std::optional<refusal>& refused)
{
    at_ += token_chars.prefix(request.substr(at_));
    if (at_ > longest_method)
        refuse(refused, status::not_implemented, "the method is longer than any known method");
    else if (at_ == request.size())
        return;
    else if (request[at_] != ' ' || at_ == 0)
        refuse(refused, "it does not begin with a method");
    else
        begin_behind_space(part::target);
}

void request_line_scanner::scan_target(std::string_view request, std::optional<refusal>& refused)
{
    at_ += prefix_from<first_visible>(request.substr(at_));
    if (at_ - begin_ > longest_target)
        refuse(refused, status::uri_too_long, "the request target is longer than 4 KiB");
    else if (at_ == request.size())
        return;
    else if (at_ == begin_)
        refuse(refused, "there is no target after the method");
    else if (request[at_] != ' ')
        refuse(refused, "there is no version after the target");
    else
        begin_behind_space(part::version);
}

void request_line_scanner::scan_version(std::string_view request, std::optional<refusal>& refused)
{
    const auto rest = request.substr(begin_, end_of_line.size());
    const auto wrong = rest == end_of_line ? rest.size() : find_wrong(rest);
    at_ = begin_ + wrong;
    if (wrong == end_of_line.size())
        part_ = part::nothing;
    else if (wrong == rest.size())
        return;
    else if (is_digit(rest[wrong]) && (wrong == major || wrong == minor) && !request.starts_with(http2_preface))
        refuse(refused, status::http_version_not_supported, "use HTTP/1.1");
    else
        refuse(refused, "it does not end with HTTP/1.1");
}

void request_line_scanner::begin_behind_space(part next) noexcept
{
    part_ = next;
    begin_ = ++at_;
}

} // namespace causeway::http
