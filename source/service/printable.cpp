#include "service/printable.hpp"

#include <fmt/format.h>

#include <iterator>

namespace causeway::service {

std::string printable(std::string_view text)
{
    std::string result;
    result.reserve(text.size());
    for (const char c : text) {
        if (c >= ' ' && c <= '~')
            result += c;
        else
            fmt::format_to(std::back_inserter(result), "\\x{:02x}", static_cast<unsigned char>(c));
    }
    return result;
}

} // namespace causeway::service
