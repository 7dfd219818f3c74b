#include "http/head_scanner.hpp"

namespace causeway::http {
namespace {

constexpr bool is_forbidden(char c) noexcept
{
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\r' && c != '\n') || byte == 0x7f;
}

} // namespace

std::optional<std::string_view> head_scanner::scan(std::string_view bytes) noexcept
{
    for (const char c : bytes) {
        if (ended_)
            break;
        if (is_forbidden(c))
            return "there is a control character in the request head";
        if ((previous_ == '\r') != (c == '\n'))
            return "a line of the request head does not end with CR and LF";
        if (line_is_empty_ && !in_first_line_ && (c == ' ' || c == '\t'))
            return "a line of the request head is folded";

        if (c == '\n') {
            ended_ = line_is_empty_ && !in_first_line_;
            in_first_line_ = false;
            line_is_empty_ = true;
        } else if (c != '\r') {
            line_is_empty_ = false;
        }
        previous_ = c;
    }
    return std::nullopt;
}

} // namespace causeway::http
