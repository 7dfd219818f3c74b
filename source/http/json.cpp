#include "http/json.hpp"

#include <boost/json/serializer.hpp>
#include <boost/json/string_view.hpp>
#include <utf8.h>

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

// How many characters at the front of `text` stand for themselves in a JSON string (RFC 8259 §7), looked at eight at a
// time: of a byte below 0x20, to take 0x20 away sets the highest bit; of a quotation mark or a backslash, nothing is
// left by exclusive or, and what is nothing has its highest bit set when 1 is taken away.
std::size_t plain_prefix(std::string_view text) noexcept
{
    constexpr std::uint64_t each = 0x0101'0101'0101'0101;
    std::size_t length = 0;
    for (std::uint64_t bytes = 0; text.size() - length >= sizeof bytes; length += sizeof bytes) {
        std::memcpy(&bytes, text.data() + length, sizeof bytes);
        const auto quotes = bytes ^ (each * '"');
        const auto backslashes = bytes ^ (each * '\\');
        const auto others = (bytes - each * 0x20) | (quotes - each) | (backslashes - each) | bytes;
        if ((others & (each * 0x80)) != 0)
            break;
    }
    while (length != text.size() && is_plain(text[length]))
        ++length;
    return length;
}

// With room for escapes in an ordinary line; boost::json::serialize would make a string of its own.
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
    const auto plain = plain_prefix(value);
    if (const auto rest = value.substr(plain); rest == "\n") { // which is what nearly all lines are
        output.append("\"").append(value.substr(0, plain)).append("\\n\"");
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
