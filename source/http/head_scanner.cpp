#include "http/head_scanner.hpp"

#include "http/characters.hpp"

#include <cstddef>

namespace causeway::http {
namespace {

constexpr unsigned char first_plain = ' ';

constexpr bool is_control(char c) noexcept { return !is_at_least<first_plain>(c) && c != '\t'; }

constexpr std::string_view bad_ending = "a line of the request does not end with CR and LF";

} // namespace

std::optional<std::string_view> head_scanner::scan(std::string_view bytes) noexcept
{
    for (std::size_t at = 0; at != bytes.size() && !ended_; ++at) {
        const char c = bytes[at];
        switch (c) {
        case '\r':
            if (previous_ == '\r')
                return bad_ending;
            break;
        case '\n':
            if (previous_ != '\r')
                return bad_ending;
            ended_ = line_is_empty_;
            line_is_empty_ = true;
            break;
        default:
            if (is_control(c))
                return "there is a control character in the request";
            if (previous_ == '\r')
                return bad_ending;
            if (line_is_empty_ && (c == ' ' || c == '\t'))
                return "a line of the request is folded";
            line_is_empty_ = false;
            // The first character of the line was checked; the rest may be anything plain.
            at += prefix_from<first_plain>(bytes.substr(at + 1));
        }
        previous_ = c;
    }
    return std::nullopt;
}

} // namespace causeway::http
