#include "service/settings.hpp"

#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/variables_map.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>
#include <thread>

namespace causeway::service {
namespace {

namespace options = boost::program_options;
using std::chrono::nanoseconds;
using namespace std::chrono_literals;

// A kind of value: its name in --help, how its text is read, and what to do when it cannot be.
template <class Value>
struct kind {
    const char* name;
    std::optional<Value> (*read)(std::string_view text);
    const char* advice;
};

// The number at the front of `text`, which loses it.
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

constexpr kind<net::host_port> place{"HOST:PORT", net::parse_host_port,
                                     "give HOST:PORT with a port up to 65535, an IPv6 address in brackets"};
constexpr kind<net::host_port> target{"HOST:PORT", read_target,
                                      "give HOST:PORT with a port from 1 to 65535, an IPv6 address in brackets"};
constexpr kind<std::optional<admin_address>> admin_place{
    "HOST:PORT|off", read_admin_address, "give HOST:PORT with a port up to 65535, an IPv6 address in brackets, or off"};
constexpr kind<nanoseconds> duration{"DURATION", parse_duration,
                                     "give a duration with its unit, such as 250ms, 2s or 1m, up to 1000h"};
constexpr kind<nanoseconds> positive_duration{
    "DURATION", read_positive_duration,
    "give a duration above zero with its unit, such as 250ms, 2s or 1m, up to 1000h"};
constexpr kind<std::size_t> count{"N", read_count<1'000'000'000>, "give a whole number from 1 to 1000000000"};
constexpr kind<std::size_t> thread_count{"N", read_count<1024>, "give a whole number from 1 to 1024"};
constexpr kind<spdlog::level::level_enum> log_level{"LEVEL", read_log_level,
                                                    "give trace, debug, info, warning or error"};

template <class Value>
Value convert(const char* option, const kind<Value>& kind, const std::string& text)
{
    auto value = kind.read(text);
    if (!value)
        throw options::error(fmt::format("--{} '{}': {}", option, text, kind.advice));
    return *std::move(value);
}

template <class Value>
void add(options::options_description& all, const char* option, const kind<Value>& kind, const std::string& by_default,
         const char* meaning, Value& setting)
{
    const auto set = [option, kind, &setting](const std::string& text) { setting = convert(option, kind, text); };
    all.add_options()(option,
                      options::value<std::string>()->value_name(kind.name)->default_value(by_default)->notifier(set),
                      meaning);
}

template <class Value>
void add_repeatable(options::options_description& all, const char* option, const kind<Value>& kind, const char* meaning,
                    std::vector<Value>& settings)
{
    const auto set = [option, kind, &settings](const std::vector<std::string>& texts) {
        for (const auto& text : texts)
            settings.push_back(convert(option, kind, text));
    };
    all.add_options()(option, options::value<std::vector<std::string>>()->value_name(kind.name)->notifier(set),
                      meaning);
}

template <class Settings>
parsed<Settings> parse(const std::string& program, const char* purpose, int argc, const char* const* argv,
                       options::options_description& all, const Settings& settings)
{
    all.add_options()("help", "print this and end");
    all.add_options()("version", "print the version and end");
    try {
        // No abbreviations: a script that relies on one breaks when a new option makes it ambiguous.
        using namespace options::command_line_style;
        options::variables_map given;
        options::store(options::command_line_parser(argc, argv)
                           .options(all)
                           .positional(options::positional_options_description())
                           .style(default_style & ~allow_guessing)
                           .run(),
                       given);
        if (given.contains("help")) {
            std::ostringstream text;
            text << program << ": " << purpose << "\n\nUsage: " << program << " [OPTION]...\n\n" << all;
            return information{text.str()};
        }
        if (given.contains("version"))
            return information{program + " " CAUSEWAY_VERSION "\n"};
        options::notify(given);
        return settings;
    } catch (const options::error& error) {
        auto text = fmt::format("{}: {}; {} --help lists the options", program, error.what(), program);
        // One line, whatever was typed.
        std::ranges::replace_if(
            text, [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
        return usage_error{text};
    }
}

} // namespace

parsed<bridge_settings> parse_bridge_options(int argc, const char* const* argv)
{
    const auto cores = std::to_string(std::max(1U, std::thread::hardware_concurrency()));
    bridge_settings settings;
    options::options_description all("Options");
    add(all, "listen", place, "127.0.0.1:8090", "where HTTP clients connect; port 0 takes a free one", settings.listen);
    add_repeatable(all, "upstream", target,
                   "the TCP backend; may be repeated. Without it a code server is started in this process, on "
                   "127.0.0.1:9670",
                   settings.upstreams);
    add(all, "reply-timeout", positive_duration, "2s", "from the parsed request to the reply", settings.reply_timeout);
    add(all, "reconnect-max", positive_duration, "3s", "longest pause between two connection attempts",
        settings.reconnect_max);
    add(all, "upstream-window", count, "1024",
        "most messages on their way per upstream connection; further ones wait their turn. 1 suits a backend that "
        "takes each TCP segment for one message",
        settings.upstream_window);
    all.add_options()("coalesce", options::bool_switch(&settings.coalesce),
                      "requests that wait for the same code share one message and its reply");
    add(all, "max-pending", count, "65536", "most requests waiting at once; above it, 503", settings.max_pending);
    add(all, "max-connections", count, "16384", "most HTTP connections at once; further ones wait in the listen queue",
        settings.max_connections);
    add(all, "idle-timeout", positive_duration, "60s", "how long a connection may stay open between two requests",
        settings.idle_timeout);
    add(all, "write-timeout", positive_duration, "10s", "how long a client may take to read its answer",
        settings.write_timeout);
    add(all, "threads", thread_count, cores, "event loops, each on its own thread; the default is the number of cores",
        settings.threads);
    all.add_options()("share-port", options::bool_switch(&settings.share_port),
                      "start although another Causeway serves this port, for a rolling restart");
    add(all, "drain-timeout", duration, "10s", "how long SIGTERM waits for requests under way", settings.drain_timeout);
    add(all, "admin", admin_place, "127.0.0.1:8091 if free",
        "where /metrics, /healthz and /readyz are served; port 0 takes a free one", settings.admin);
    add(all, "log-level", log_level, "info", "trace, debug, info, warning or error", settings.log_level);
    return parse("causeway", "lets HTTP clients talk to a server that speaks a stream of TCP messages", argc, argv, all,
                 settings);
}

parsed<code_server_settings> parse_code_server_options(int argc, const char* const* argv)
{
    code_server_settings settings;
    options::options_description all("Options");
    add(all, "listen", place, "127.0.0.1:9670", "where clients connect; port 0 takes a free one", settings.listen);
    add(all, "bind-retry", positive_duration, "5s", "pause before the address is tried again while it is in use",
        settings.bind_retry);
    add(all, "log-level", log_level, "info", "trace, debug, info, warning or error", settings.log_level);
    return parse("code-server", "a TCP server that explains HTTP status codes", argc, argv, all, settings);
}

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
