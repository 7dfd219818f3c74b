#include "service/value_kinds.hpp"

#include <boost/algorithm/hex.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace causeway::service {
namespace {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;

// Removes the number at the front of `text` and returns it.
std::optional<std::size_t> take_number(std::string_view& text)
{
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{})
        return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

template <std::size_t most>
std::optional<std::size_t> read_count(std::string_view text)
{
    const auto number = take_number(text);
    return number && text.empty() && *number >= 1 && *number <= most ? number : std::nullopt;
}

std::optional<nanoseconds> read_positive_duration(std::string_view text)
{
    const auto duration = parse_duration(text);
    return duration && *duration > 0s ? duration : std::nullopt;
}

std::optional<net::host_port> read_target(std::string_view text)
{
    auto place = net::parse_host_port(text);
    return place && place->port != 0 ? place : std::nullopt;
}

// `off` is a value too: no address.
std::optional<std::optional<admin_address>> read_admin_address(std::string_view text)
{
    constexpr std::string_view if_free = " if free";
    if (text == "off")
        return std::optional<admin_address>();
    const bool may_be_in_use = text.ends_with(if_free);
    text.remove_suffix(may_be_in_use ? if_free.size() : 0);
    auto place = net::parse_host_port(text);
    if (!place)
        return std::nullopt;
    return admin_address{*std::move(place), may_be_in_use};
}

std::optional<spdlog::level::level_enum> read_log_level(std::string_view text)
{
    constexpr auto names = std::to_array<std::string_view>({"trace", "debug", "info", "warning", "error"});
    const auto name = std::ranges::find(names, text);
    if (name == names.end())
        return std::nullopt;
    return static_cast<spdlog::level::level_enum>(name - names.begin());
}

// The value of the word `text`.
template <class Value, std::size_t count>
std::optional<Value> value_of(std::string_view text, const std::pair<std::string_view, Value> (&words)[count])
{
    const auto* word = std::ranges::find(words, text, &std::pair<std::string_view, Value>::first);
    return word != std::end(words) ? std::optional(word->second) : std::nullopt;
}

std::optional<log_format> read_log_format(std::string_view text)
{
    return value_of<log_format>(text, {{"text", log_format::text}, {"json", log_format::json}});
}

std::optional<protocol_name> read_protocol(std::string_view text)
{
    return value_of<protocol_name>(text, {{"codes", protocol_name::codes}, {"iso8583", protocol_name::iso8583}});
}

std::optional<iso8583::length_form> read_length_form(std::string_view text)
{
    using enum iso8583::length_form;
    return value_of<iso8583::length_form>(
        text, {{"binary2", binary2}, {"binary4", binary4}, {"ascii4", ascii4}, {"bcd2", bcd2}});
}

std::optional<iso8583::key_fields> read_key_fields(std::string_view text)
try {
    return iso8583::key_fields(text);
} catch (const std::invalid_argument&) {
    return std::nullopt;
}

// No known network has a longer header.
constexpr std::size_t longest_header = 64;

std::optional<std::string> read_header(std::string_view text)
try {
    auto bytes = boost::algorithm::unhex(std::string(text));
    return !bytes.empty() && bytes.size() <= longest_header ? std::optional(std::move(bytes)) : std::nullopt;
} catch (const boost::algorithm::hex_decode_error&) {
    return std::nullopt;
}

// A path that can be in a configuration file as it is, and is not an option after a forgotten value.
std::optional<std::string> read_path(std::string_view text)
{
    const bool has_control = std::ranges::any_of(text, [](unsigned char c) { return c < ' ' || c == 0x7f; });
    if (text.empty() || text.front() == '-' || text.front() == ' ' || text.back() == ' ' || has_control ||
        text.find('#') != text.npos)
        return std::nullopt;
    return std::string(text);
}

std::optional<std::string> read_path_or_dash(std::string_view text)
{
    return text == "-" ? std::optional(std::string(text)) : read_path(text);
}

std::optional<std::string> read_server_name(std::string_view text)
{
    const auto place =
        net::parse_host_port((text.find(':') == text.npos ? std::string(text) : fmt::format("[{}]", text)) + ":1");
    return place ? std::optional(place->host) : std::nullopt;
}

std::optional<bool> read_switch(std::string_view text)
{
    return value_of<bool>(text, {{"true", true}, {"false", false}});
}

std::optional<bool> read_on_or_off(std::string_view text)
{
    return value_of<bool>(text, {{"on", true}, {"off", false}});
}

} // namespace

namespace kinds {

constinit const value_kind<net::host_port> place{"HOST:PORT", net::parse_host_port,
                                                 "give HOST:PORT with a port up to 65535, an IPv6 address in brackets"};
constinit const value_kind<net::host_port> target{
    "HOST:PORT", read_target, "give HOST:PORT with a port from 1 to 65535, an IPv6 address in brackets"};
constinit const value_kind<std::optional<admin_address>> admin_place{
    "HOST:PORT|off", read_admin_address, "give HOST:PORT with a port up to 65535, an IPv6 address in brackets, or off"};
constinit const value_kind<nanoseconds> duration{"DURATION", parse_duration,
                                                 "give a duration with its unit, such as 250ms, 2s or 1m, up to 1000h"};
constinit const value_kind<nanoseconds> positive_duration{
    "DURATION", read_positive_duration,
    "give a duration above zero with its unit, such as 250ms, 2s or 1m, up to 1000h"};
constinit const value_kind<std::size_t> count{"N", read_count<1'000'000'000>,
                                              "give a whole number from 1 to 1000000000"};
constinit const value_kind<std::size_t> thread_count{"N", read_count<1024>, "give a whole number from 1 to 1024"};
constinit const value_kind<spdlog::level::level_enum> log_level{"LEVEL", read_log_level,
                                                                "give trace, debug, info, warning or error"};
constinit const value_kind<log_format> format_of_log{"FORMAT", read_log_format, "give text or json"};
constinit const value_kind<std::string> path{
    "FILE", read_path, "give a file name without #, control characters, a leading -, or spaces at either end"};
constinit const value_kind<std::string> path_or_dash{"FILE|-", read_path_or_dash,
                                                     "give a file name without #, control characters, a leading -, or "
                                                     "spaces at either end, or - for the standard output"};
constinit const value_kind<std::string> server_name{"NAME", read_server_name, "give a host name or an address"};
constinit const value_kind<bool> named{"", read_switch, "give true or false"};
constinit const value_kind<bool> on_or_off{"on|off", read_on_or_off, "give on or off"};
constinit const value_kind<protocol_name> protocol{"PROTOCOL", read_protocol, "give codes or iso8583"};
constinit const value_kind<std::string> name_or_path{
    "NAME|FILE", read_path,
    "give the name of a dialect, or a file name without #, control characters, a leading -, or spaces at either end"};
constinit const value_kind<iso8583::length_form> length_form{"FORM", read_length_form,
                                                             "give binary2, binary4, ascii4 or bcd2"};
constinit const value_kind<std::string> header{"HEX", read_header,
                                               "give two hexadecimal digits for each byte, up to 64 bytes"};
constinit const value_kind<iso8583::key_fields> key_fields{
    "FIELDS", read_key_fields,
    "give some of 3, 7, 11, 37 and 41, separated by commas, including 11 or 37, with at most 28 characters in all"};

} // namespace kinds

std::optional<nanoseconds> parse_duration(std::string_view text)
{
    struct unit {
        std::string_view name;
        nanoseconds length;
    };
    constexpr auto units = std::to_array<unit>({{"ms", 1ms}, {"s", 1s}, {"m", 1min}, {"h", 1h}});
    constexpr nanoseconds longest = 1000h;

    const auto number = take_number(text);
    const auto unit = std::ranges::find(units, text, &unit::name);
    if (!number || unit == units.end() || *number > static_cast<std::size_t>(longest / unit->length))
        return std::nullopt;
    return static_cast<nanoseconds::rep>(*number) * unit->length;
}

} // namespace causeway::service
