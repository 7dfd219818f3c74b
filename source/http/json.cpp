#include "http/json.hpp"

#include <boost/json/serializer.hpp>
#include <boost/json/string_view.hpp>
#include <utf8.h>

#include <cstdint>
#include <cstring>
#include <iterator>

namespace causeway::http {
namespace {

// The bulk of what is said, told apart eight bytes at a time.
bool is_ascii(std::string_view text)
{
    std::uint64_t all_bits = 0;
    while (text.size() >= sizeof all_bits) {
        std::uint64_t eight_bytes = 0;
        std::memcpy(&eight_bytes, text.data(), sizeof eight_bytes);
        all_bits |= eight_bytes;
        text.remove_prefix(sizeof eight_bytes);
    }
    for (const char c : text)
        all_bits |= static_cast<unsigned char>(c);
    return (all_bits & 0x8080'8080'8080'8080) == 0;
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
    if (is_ascii(value) || utf8::is_valid(value.begin(), value.end())) {
        append_value(value, output);
    } else {
        std::string valid;
        utf8::replace_invalid(value.begin(), value.end(), std::back_inserter(valid));
        append_value(valid, output);
    }
    output += '}';
}

} // namespace causeway::http
