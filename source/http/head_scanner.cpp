#include "http/head_scanner.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace causeway::http {
namespace {

constexpr bool is_plain(char c) noexcept
{
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7f;
}

// Eight bytes at once. Of a byte below 0x20, to take 0x20 away sets the highest bit, which was not set before; of 0x7f,
// nothing is left by exclusive or, and what is nothing has the highest bit set when 1 is taken away.
bool are_plain(std::uint64_t bytes) noexcept
{
    constexpr std::uint64_t each = 0x0101'0101'0101'0101;
    const auto controls = (bytes - each * 0x20) & ~bytes;
    const auto deletes = bytes ^ (each * 0x7f);
    return ((controls | ((deletes - each) & ~deletes)) & (each * 0x80)) == 0;
}

// How many characters at the front are plain.
std::size_t plain_prefix(std::string_view text) noexcept
{
    std::size_t length = 0;
    for (std::uint64_t bytes = 0; text.size() - length >= sizeof bytes; length += sizeof bytes) {
        std::memcpy(&bytes, text.data() + length, sizeof bytes);
        if (!are_plain(bytes))
            break;
    }
    while (length != text.size() && is_plain(text[length]))
        ++length;
    return length;
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
        if (line_is_empty_ && (c == ' ' || c == '\t'))
            return "a line of the request is folded";

        if (c == '\n') {
            ended_ = line_is_empty_;
            line_is_empty_ = true;
        } else if (c != '\r') {
            line_is_empty_ = false;
            // The rest of the line is as good as its first character.
            at += plain_prefix(bytes.substr(at + 1));
        }
        previous_ = c;
    }
    return std::nullopt;
}

} // namespace causeway::http
