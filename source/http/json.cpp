#include "http/json.hpp"

#include <boost/json/serializer.hpp>
#include <boost/json/string_view.hpp>
#include <utf8.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>

namespace causeway::http {
namespace {

constexpr bool is_plain(char c) noexcept
{
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

// Not zero when one of the eight characters at `text` is not plain: subtracting 0x20 from a byte below 0x20 sets the
// highest bit; a quotation mark or a backslash becomes 0 by exclusive or, and subtracting 1 from 0 sets the highest
// bit.
std::uint64_t others_among_eight(const char* text) noexcept
{
    constexpr std::uint64_t each = 0x0101'0101'0101'0101;
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text, sizeof bytes);
    const auto quotes = bytes ^ (each * '"');
    const auto backslashes = bytes ^ (each * '\\');
    return ((bytes - each * 0x20) | (quotes - each) | (backslashes - each) | bytes) & (each * 0x80);
}

// Whether all characters of `text` stand for themselves in a JSON string (RFC 8259 §7). The last eight are also checked
// together, although some of them have been checked before.
bool all_plain(std::string_view text) noexcept
{
    constexpr std::size_t eight = 8;
    if (text.size() < eight)
        return std::ranges::all_of(text, is_plain);
    const auto* const last = text.data() + text.size() - eight;
    auto others = others_among_eight(last);
    for (const auto* at = text.data(); at < last; at += eight)
        others |= others_among_eight(at);
    return others == 0;
}

// Reserves room for the escapes of an ordinary line; boost::json::serialize would make a separate string.
void append_value(std::string_view value, std::string& output)
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

} // namespace

void append_json(std::string_view name, std::string_view value, std::string& output)
{
    output.append(R"({")").append(name).append(R"(":)");
    if (const auto line = value.substr(0, value.size() - 1); value.ends_with('\n') && all_plain(line)) {
        output.append("\"").append(line).append("\\n\""); // as nearly all lines are
    } else if (utf8::is_valid(value.begin(), value.end())) {
        append_value(value, output);
    } else {
        std::string valid;
        utf8::replace_invalid(value.begin(), value.end(), std::back_inserter(valid));
        append_value(valid, output);
    }
    output += '}';
}

} // namespace causeway::http
