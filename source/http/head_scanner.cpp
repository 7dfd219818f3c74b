#include "http/head_scanner.hpp"

namespace causeway::http {
namespace {

constexpr bool is_plain(char c) noexcept
{
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7f;
}

constexpr bool is_forbidden(char c) noexcept { return !is_plain(c) && c != '\t' && c != '\r' && c != '\n'; }

} // namespace

std::optional<std::string_view> head_scanner::scan(std::string_view bytes) noexcept
{
    for (std::size_t at = 0; at != bytes.size() && !ended_; ++at) {
        const char c = bytes[at];
        if (is_forbidden(c))
            return "there is a control character in the request";
        if ((previous_ == '\r') != (c == '\n'))
            return "a line of the request does not end with CR and LF";
        if (line_is_empty_ && !in_first_line_ && (c == ' ' || c == '\t'))
            return "a line of the request is folded";

        if (c == '\n') {
            ended_ = line_is_empty_ && !in_first_line_;
            in_first_line_ = false;
            line_is_empty_ = true;
        } else if (c != '\r') {
            line_is_empty_ = false;
            // The rest of the line is as good as its first character.
            while (at + 1 != bytes.size() && is_plain(bytes[at + 1]))
                ++at;
        }
        previous_ = c;
    }
    return std::nullopt;
}

} // namespace causeway::http
