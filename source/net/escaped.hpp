// Bytes of others, made fit for a line of the log.
#pragma once

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <string_view>

namespace causeway::net {

/// `bytes` with everything that is not printable ASCII, and the backslash, as `\xNN`: nothing in it can end a line,
/// steer a terminal, or be mistaken for another byte.
inline std::string escaped(std::string_view bytes)
{
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= ' ' && byte < 0x7f && byte != '\\')
            text += c;
        else
            fmt::format_to(std::back_inserter(text), "\\x{:02x}", byte);
    }
    return text;
}

} // namespace causeway::net
