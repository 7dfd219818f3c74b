#include "service/settings.hpp"
#include "service/program.hpp"
#include "service/value_kinds.hpp"

#include "../temporary.hpp"
#include "print_duration.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <variant>
#include <vector>

#include <sys/stat.h>

namespace {

namespace net = causeway::net;
using causeway::test::temporary_directory;
using causeway::test::temporary_file;
namespace service = causeway::service;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

using arguments = std::vector<std::string>;

// What a program of this name is told by its command line and its environment.
template <class Settings>
service::parsed<Settings> parse(service::parsed<Settings> (*parser)(const service::invocation&),
                                const std::string& program, const arguments& given, const arguments& variables = {})
{
    std::vector<const char*> argv = {program.c_str()};
    for (const auto& argument : given)
        argv.push_back(argument.c_str());
    argv.push_back(nullptr);
    std::vector<const char*> environment;
    for (const auto& variable : variables)
        environment.push_back(variable.c_str());
    environment.push_back(nullptr);
    return parser({static_cast<int>(given.size()) + 1, argv.data(), environment.data()});
}

auto parse_bridge(const arguments& given, const arguments& variables = {})
{
    return parse(service::parse_bridge_options, "causeway", given, variables);
}
auto parse_code_server(const arguments& given)
{
    return parse(service::parse_code_server_options, "code-server", given);
}

auto parse_iso8583_host(const arguments& given, const arguments& variables = {})
{
    return parse(service::parse_iso8583_host_options, "iso8583-host", given, variables);
}

template <class Settings>
Settings expect_settings(const service::parsed<Settings>& parsed)
{
    if (const auto* error = std::get_if<service::usage_error>(&parsed))
        BOOST_FAIL("usage error: " << service::lines_for("program", *error));
    BOOST_TEST_REQUIRE(std::holds_alternative<service::configured<Settings>>(parsed));
    return std::get<service::configured<Settings>>(parsed).settings;
}

service::bridge_settings bridge(const arguments& given, const arguments& variables = {})
{
    return expect_settings(parse_bridge(given, variables));
}
service::code_server_settings code_server(const arguments& given) { return expect_settings(parse_code_server(given)); }
service::iso8583_host_settings iso8583_host(const arguments& given, const arguments& variables = {})
{
    return expect_settings(parse_iso8583_host(given, variables));
}

// The line for an invalid command line, or an empty text when it is valid.
template <class Settings>
std::string complaint(const service::parsed<Settings>& parsed)
{
    const auto* error = std::get_if<service::usage_error>(&parsed);
    if (error == nullptr)
        return {};
    const bool is_bridge = std::is_same_v<Settings, service::bridge_settings>;
    auto line = service::lines_for(is_bridge ? "causeway" : "code-server", *error);
    line.pop_back();
    return line;
}

template <class Settings>
std::string information(const service::parsed<Settings>& parsed)
{
    const auto* information = std::get_if<service::information>(&parsed);
    return information != nullptr ? information->text : std::string();
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

// Whether `line` is what a person needs to read after wrong usage of `program`.
void check_one_helpful_line(const std::string& line, const std::string& program)
{
    BOOST_TEST(line.starts_with(program + ": "), line);
    BOOST_TEST(!contains(line, "\n"), line);
    BOOST_TEST(!contains(line, "\r"), line);
    BOOST_TEST(contains(line, program + " --help"), line);
}

// Values that an option does not accept, and what its user must read.
struct wrong_values {
    std::string option;
    std::vector<std::string> values;
    std::string advice;
};

void check_complaints(const wrong_values& wrong)
{
    for (const auto& value : wrong.values)
        for (const auto& given : {arguments{wrong.option + '=' + value}, arguments{wrong.option, value}}) {
            BOOST_TEST_CONTEXT(wrong.option << " '" << value << "', " << given.size() << " arguments")
            {
                const auto line = complaint(parse_bridge(given));

                check_one_helpful_line(line, "causeway");
                BOOST_TEST(contains(line, wrong.option), line);
                BOOST_TEST(contains(line, wrong.advice), line);
            }
        }
}

const std::vector<std::string> bridge_options = {"--listen",
                                                 "--upstream",
                                                 "--reply-timeout",
                                                 "--reconnect-max",
                                                 "--max-pending",
                                                 "--upstream-window",
                                                 "--threads",
                                                 "--log-level",
                                                 "--max-connections",
                                                 "--drain-delay",
                                                 "--drain-timeout",
                                                 "--idle-timeout",
                                                 "--write-timeout",
                                                 "--tls-certificate",
                                                 "--tls-private-key",
                                                 "--tls-client-ca",
                                                 "--upstream-tls",
                                                 "--upstream-ca",
                                                 "--upstream-tls-name",
                                                 "--upstream-certificate",
                                                 "--upstream-private-key",
                                                 "--share-port",
                                                 "--coalesce",
                                                 "--protocol",
                                                 "--iso8583-spec",
                                                 "--iso8583-frame",
                                                 "--iso8583-header",
                                                 "--iso8583-frame-includes-itself",
                                                 "--iso8583-key",
                                                 "--iso8583-late",
                                                 "--iso8583-sign-on",
                                                 "--iso8583-echo",
                                                 "--admin",
                                                 "--log-format",
                                                 "--log-file",
                                                 "--config",
                                                 "--check-config",
                                                 "--help",
                                                 "--version"};
const std::vector<std::string> code_server_options = {"--listen",       "--bind-retry", "--log-level",
                                                      "--log-format",   "--log-file",   "--config",
                                                      "--check-config", "--help",       "--version"};

const std::vector<std::string> iso8583_host_options = {
    "--listen",        "--bind-retry",     "--iso8583-spec",
    "--iso8583-frame", "--iso8583-header", "--iso8583-frame-includes-itself",
    "--log-level",     "--log-format",     "--log-file",
    "--config",        "--check-config",   "--help",
    "--version"};

using names = std::set<std::string>;

// The first group of each match.
names matches(const std::string& text, const std::regex& expression)
{
    return {std::sregex_token_iterator(text.begin(), text.end(), expression, 1), std::sregex_token_iterator()};
}

const std::regex option_name("`([a-z0-9-]+)`");

} // namespace

BOOST_AUTO_TEST_SUITE(settings)

BOOST_AUTO_TEST_CASE(the_bridge_has_the_documented_defaults)
{
    const auto settings = bridge({});

    BOOST_TEST((settings.listen == net::host_port{"127.0.0.1", 8090}));
    BOOST_TEST(settings.upstreams.empty());
    BOOST_TEST(settings.reply_timeout == nanoseconds(2s));
    BOOST_TEST(settings.reconnect_max == nanoseconds(3s));
    BOOST_TEST(settings.upstream_window == 1024U);
    BOOST_TEST(settings.max_pending == 65536U);
    BOOST_TEST(settings.max_connections == 16384U);
    BOOST_TEST(settings.threads == std::max(1U, std::thread::hardware_concurrency()));
    BOOST_TEST(settings.idle_timeout == nanoseconds(60s));
    BOOST_TEST(settings.write_timeout == nanoseconds(10s));
    BOOST_TEST(!settings.share_port);
    BOOST_TEST(!settings.coalesce);
    BOOST_TEST(settings.drain_delay == 0ns);
    BOOST_TEST(settings.drain_timeout == nanoseconds(10s));
    BOOST_TEST((settings.admin == service::admin_address{{"127.0.0.1", 8091}, true}));
    BOOST_TEST(settings.log.level == spdlog::level::info);
    BOOST_TEST((settings.protocol == service::protocol_name::codes));
    BOOST_TEST(settings.iso8583.wire.dialect == "postilion");
    BOOST_TEST((settings.iso8583.wire.framing == causeway::iso8583::framing{}));
    BOOST_TEST((settings.iso8583.key_fields == causeway::iso8583::key_fields("7,11")));
    BOOST_TEST(settings.iso8583.late_replies == nanoseconds(120s));
    BOOST_TEST(settings.iso8583.signs_on);
    BOOST_TEST(settings.iso8583.echo_after == nanoseconds(30s));
}

BOOST_AUTO_TEST_CASE(every_option_of_iso_8583_sets_its_field)
{
    const auto settings = bridge({"--protocol=iso8583", "--iso8583-spec=my.json", "--iso8583-frame=ascii4",
                                  "--iso8583-header=60000a", "--iso8583-frame-includes-itself", "--iso8583-key=11,41",
                                  "--iso8583-late=5s", "--iso8583-sign-on=off", "--iso8583-echo=0s"});

    BOOST_TEST((settings.protocol == service::protocol_name::iso8583));
    BOOST_TEST(settings.iso8583.wire.dialect == "my.json");
    BOOST_TEST((settings.iso8583.wire.framing ==
                causeway::iso8583::framing{causeway::iso8583::length_form::ascii4, {"\x60\0\x0a", 3}, true}));
    BOOST_TEST((settings.iso8583.key_fields == causeway::iso8583::key_fields("11,41")));
    BOOST_TEST(settings.iso8583.late_replies == nanoseconds(5s));
    BOOST_TEST(!settings.iso8583.signs_on);
    BOOST_TEST(settings.iso8583.echo_after == 0ns);
    using enum causeway::iso8583::length_form;
    const auto form = [](const std::string& name) {
        return bridge({"--protocol=iso8583", "--iso8583-frame=" + name}).iso8583.wire.framing.form;
    };
    BOOST_TEST((form("binary2") == binary2));
    BOOST_TEST((form("binary4") == binary4));
    BOOST_TEST((form("bcd2") == bcd2));
}

// A thread would not know which keys the others have taken.
BOOST_AUTO_TEST_CASE(with_iso_8583_there_is_one_thread_and_more_are_refused)
{
    BOOST_TEST(bridge({"--protocol=iso8583"}).threads == 1U);
    BOOST_TEST(bridge({"--protocol=iso8583", "--threads=1"}).threads == 1U);
    BOOST_TEST(contains(complaint(parse_bridge({"--protocol=iso8583", "--threads=2"})), "--threads above 1"));
    BOOST_TEST(contains(complaint(parse_bridge({"--protocol=iso8583"}, {"CAUSEWAY_THREADS=2"})), "--threads above 1"));
    const auto printed = information(parse_bridge({"--protocol=iso8583", "--check-config"}));
    BOOST_TEST(std::regex_search(printed, std::regex("\nthreads = 1 +# default\n")), printed);
}

BOOST_AUTO_TEST_CASE(options_of_a_protocol_that_is_not_spoken_are_wrong)
{
    for (const arguments& given :
         {arguments{"--iso8583-spec=my.json"}, arguments{"--iso8583-frame=bcd2"}, arguments{"--iso8583-header=00"},
          arguments{"--iso8583-frame-includes-itself"}, arguments{"--iso8583-key=11"}, arguments{"--iso8583-late=1s"},
          arguments{"--iso8583-sign-on=off"}, arguments{"--iso8583-echo=1s"}}) {
        const auto line = complaint(parse_bridge(given));

        check_one_helpful_line(line, "causeway");
        BOOST_TEST(contains(line, "--protocol=iso8583"), line);
    }
    BOOST_TEST(contains(complaint(parse_bridge({"--protocol=iso8583", "--coalesce"})), "--protocol=codes"));
}

BOOST_AUTO_TEST_CASE(the_code_server_has_the_documented_defaults)
{
    const auto settings = code_server({});

    BOOST_TEST((settings.listen == net::host_port{"127.0.0.1", 9670}));
    BOOST_TEST(settings.bind_retry == nanoseconds(5s));
    BOOST_TEST(settings.log.level == spdlog::level::info);
}

BOOST_AUTO_TEST_CASE(the_iso8583_host_has_the_documented_defaults)
{
    const auto settings = iso8583_host({});

    BOOST_TEST((settings.listen == net::host_port{"127.0.0.1", 9583}));
    BOOST_TEST(settings.bind_retry == nanoseconds(5s));
    BOOST_TEST(settings.wire.dialect == "postilion");
    BOOST_TEST((settings.wire.framing == causeway::iso8583::framing{}));
    BOOST_TEST(settings.log.level == spdlog::level::info);
}

BOOST_AUTO_TEST_CASE(every_option_of_the_bridge_sets_its_field)
{
    BOOST_TEST((bridge({"--listen", "[::1]:0"}).listen == net::host_port{"::1", 0}));
    BOOST_TEST((bridge({"--upstream", "backend:9"}).upstreams == std::vector{net::host_port{"backend", 9}}));
    BOOST_TEST(bridge({"--reply-timeout", "250ms"}).reply_timeout == nanoseconds(250ms));
    BOOST_TEST(bridge({"--reconnect-max", "4s"}).reconnect_max == nanoseconds(4s));
    BOOST_TEST(bridge({"--upstream-window", "1"}).upstream_window == 1U);
    BOOST_TEST(bridge({"--max-pending", "7"}).max_pending == 7U);
    BOOST_TEST(bridge({"--max-connections", "8"}).max_connections == 8U);
    BOOST_TEST(bridge({"--threads", "9"}).threads == 9U);
    BOOST_TEST(bridge({"--idle-timeout", "5s"}).idle_timeout == nanoseconds(5s));
    BOOST_TEST(bridge({"--write-timeout", "6s"}).write_timeout == nanoseconds(6s));
    BOOST_TEST(bridge({"--share-port"}).share_port);
    BOOST_TEST(!bridge({"--share-port"}).coalesce);
    BOOST_TEST(bridge({"--coalesce"}).coalesce);
    BOOST_TEST(!bridge({"--coalesce"}).share_port);
    BOOST_TEST(bridge({"--drain-delay", "5s"}).drain_delay == nanoseconds(5s));
    BOOST_TEST(bridge({"--drain-timeout", "1m"}).drain_timeout == nanoseconds(1min));
    BOOST_TEST(bridge({"--log-level", "debug"}).log.level == spdlog::level::debug);
    BOOST_TEST((bridge({"--log-format", "json"}).log.format == service::log_format::json));
    BOOST_TEST(bridge({"--log-file", "/tmp/a log"}).log.file == "/tmp/a log");
    BOOST_TEST((bridge({"--tls-certificate", "a", "--tls-private-key", "b", "--tls-client-ca", "c"}).tls ==
                net::server_tls{"a", "b", "c"}));
    const auto secure = bridge({"--upstream", "a:1", "--upstream-tls", "--upstream-ca", "a", "--upstream-certificate",
                                "b", "--upstream-private-key", "c", "--upstream-tls-name", "backend.example"});
    BOOST_TEST(secure.upstream_tls);
    BOOST_TEST((secure.upstream_trust == net::client_tls{"a", "b", "c"}));
    BOOST_TEST(secure.upstream_tls_name == "backend.example");
    BOOST_TEST(bridge({"--upstream", "a:1", "--upstream-tls", "--upstream-tls-name", "::1"}).upstream_tls_name ==
               "::1");
    BOOST_TEST((bridge({"--admin", "[::1]:0"}).admin == service::admin_address{{"::1", 0}, false}));
    BOOST_TEST((bridge({"--admin", "a:1 if free"}).admin == service::admin_address{{"a", 1}, true}));
    BOOST_TEST(!bridge({"--admin", "off"}).admin.has_value());
}

BOOST_AUTO_TEST_CASE(every_option_of_the_bridge_at_once_sets_its_own_field_only)
{
    const auto settings = bridge({"--listen=0.0.0.0:80", "--upstream=a:1", "--reply-timeout=1s", "--reconnect-max=2s",
                                  "--upstream-window=3", "--max-pending=4", "--max-connections=5", "--threads=6",
                                  "--share-port", "--drain-delay=10s", "--drain-timeout=7s", "--idle-timeout=8s",
                                  "--write-timeout=9s", "--log-level=error"});

    BOOST_TEST((settings.listen == net::host_port{"0.0.0.0", 80}));
    BOOST_TEST((settings.upstreams == std::vector{net::host_port{"a", 1}}));
    BOOST_TEST(settings.reply_timeout == nanoseconds(1s));
    BOOST_TEST(settings.reconnect_max == nanoseconds(2s));
    BOOST_TEST(settings.upstream_window == 3U);
    BOOST_TEST(settings.max_pending == 4U);
    BOOST_TEST(settings.max_connections == 5U);
    BOOST_TEST(settings.threads == 6U);
    BOOST_TEST(settings.idle_timeout == nanoseconds(8s));
    BOOST_TEST(settings.write_timeout == nanoseconds(9s));
    BOOST_TEST(settings.share_port);
    BOOST_TEST(settings.drain_delay == nanoseconds(10s));
    BOOST_TEST(settings.drain_timeout == nanoseconds(7s));
    BOOST_TEST(settings.log.level == spdlog::level::err);
}

BOOST_AUTO_TEST_CASE(every_option_of_the_code_server_sets_its_field)
{
    BOOST_TEST((code_server({"--listen", "0.0.0.0:1"}).listen == net::host_port{"0.0.0.0", 1}));
    BOOST_TEST(code_server({"--bind-retry", "250ms"}).bind_retry == nanoseconds(250ms));
    BOOST_TEST(code_server({"--log-level", "warning"}).log.level == spdlog::level::warn);
    BOOST_TEST((code_server({"--log-format", "json"}).log.format == service::log_format::json));
    BOOST_TEST(code_server({"--log-file", "log"}).log.file == "log");
}

BOOST_AUTO_TEST_CASE(every_option_of_the_iso8583_host_sets_its_field)
{
    BOOST_TEST((iso8583_host({"--listen", "0.0.0.0:1"}).listen == net::host_port{"0.0.0.0", 1}));
    BOOST_TEST(iso8583_host({"--bind-retry", "250ms"}).bind_retry == nanoseconds(250ms));
    const auto wire =
        iso8583_host({"--iso8583-spec=my.json", "--iso8583-header=60000a"},
                     {"ISO8583_HOST_ISO8583_FRAME=bcd2", "ISO8583_HOST_ISO8583_FRAME_INCLUDES_ITSELF=true"})
            .wire;
    BOOST_TEST(
        (wire == service::iso8583_wire{"my.json", {causeway::iso8583::length_form::bcd2, {"\x60\0\x0a", 3}, true}}));
    BOOST_TEST(iso8583_host({"--log-level", "warning"}).log.level == spdlog::level::warn);
}

BOOST_AUTO_TEST_CASE(an_admin_address_that_is_none_is_wrong)
{
    for (const std::string wrong : {"on", "Off", "8091", "127.0.0.1:8091 if", " if free", "off if free"}) {
        const auto line = complaint(parse_bridge({"--admin=" + wrong}));

        check_one_helpful_line(line, "causeway");
        BOOST_TEST(contains(line, "or off"), line);
    }
}

BOOST_AUTO_TEST_CASE(a_value_may_follow_an_equals_sign)
{
    BOOST_TEST(bridge({"--reply-timeout=250ms"}).reply_timeout == nanoseconds(250ms));
    BOOST_TEST((bridge({"--listen=[::1]:80"}).listen == net::host_port{"::1", 80}));
}

BOOST_AUTO_TEST_CASE(upstreams_keep_their_order)
{
    const auto settings =
        bridge({"--upstream", "one:1", "--threads", "1", "--upstream=[::2]:2", "--upstream", "one:1"});

    const std::vector<net::host_port> expected = {{"one", 1}, {"::2", 2}, {"one", 1}};
    BOOST_TEST((settings.upstreams == expected));
}

BOOST_AUTO_TEST_CASE(every_log_level_has_a_name)
{
    BOOST_TEST(bridge({"--log-level=trace"}).log.level == spdlog::level::trace);
    BOOST_TEST(bridge({"--log-level=debug"}).log.level == spdlog::level::debug);
    BOOST_TEST(bridge({"--log-level=info"}).log.level == spdlog::level::info);
    BOOST_TEST(bridge({"--log-level=warning"}).log.level == spdlog::level::warn);
    BOOST_TEST(bridge({"--log-level=error"}).log.level == spdlog::level::err);
}

BOOST_AUTO_TEST_CASE(a_duration_is_a_whole_number_and_a_unit)
{
    BOOST_TEST(service::parse_duration("250ms").value() == nanoseconds(250ms));
    BOOST_TEST(service::parse_duration("2s").value() == nanoseconds(2s));
    BOOST_TEST(service::parse_duration("1m").value() == nanoseconds(1min));
    BOOST_TEST(service::parse_duration("1h").value() == nanoseconds(1h));
    BOOST_TEST(service::parse_duration("0s").value() == nanoseconds(0));
    BOOST_TEST(service::parse_duration("007s").value() == nanoseconds(7s));
}

BOOST_AUTO_TEST_CASE(a_duration_lasts_at_most_a_thousand_hours)
{
    BOOST_TEST(service::parse_duration("1000h").value() == nanoseconds(1000h));
    BOOST_TEST(service::parse_duration("60000m").value() == nanoseconds(1000h));
    BOOST_TEST(service::parse_duration("3600000s").value() == nanoseconds(1000h));
    BOOST_TEST(service::parse_duration("3600000000ms").value() == nanoseconds(1000h));

    for (const auto text :
         {"1001h", "60001m", "3600001s", "3600000001ms", "2562048h", "9223372036854775807ms", "18446744073709551615s",
          "18446744073709551616s", "18446744073709551617h", "99999999999999999999999999999999ms"})
        BOOST_TEST(!service::parse_duration(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(anything_else_is_no_duration)
{
    for (const auto text :
         {"",    "2",   "s",   "ms", "-1s", "+1s",   "1.5s", "1,5s", "2 s", " 2s",     "2s ",  "2sec", "2S",
          "2MS", "2us", "2ns", "2d", "2sm", "1m30s", "1e3s", "0x2s", "s2",  "forever", "--1s", "2s\n", "2\n"})
        BOOST_TEST(!service::parse_duration(text).has_value(), "'" << text << "'");
}

BOOST_AUTO_TEST_CASE(a_wrong_value_is_answered_with_one_line_that_names_the_option)
{
    const std::vector<std::string> no_place = {"localhost", "localhost:65536", "::1:80", "[foo]:1", ":80", "a b:80"};
    const std::vector<std::string> no_duration = {"2", "s", "1.5s", "2 s", "1001h", "99999999999999999999s", "soon"};
    const std::vector<std::string> no_count = {"0", "1.5", "x", "1x", " 1", "99999999999999999999"};

    for (const auto& option : {"--listen", "--upstream"})
        check_complaints({option, no_place, "HOST:PORT"});
    for (const auto& option :
         {"--reply-timeout", "--reconnect-max", "--drain-timeout", "--idle-timeout", "--write-timeout"})
        check_complaints({option, no_duration, "250ms"});
    for (const auto& option : {"--upstream-window", "--max-pending", "--max-connections", "--threads"})
        check_complaints({option, no_count, "whole number"});
    check_complaints({"--protocol", {"iso", "8583", "Codes"}, "codes or iso8583"});
    check_complaints({"--iso8583-frame", {"binary", "binary3", "BCD2"}, "binary2, binary4, ascii4 or bcd2"});
    check_complaints(
        {"--iso8583-header", {"6", "60 00", "0x60", "6g", std::string(130, '0')}, "two hexadecimal digits"});
    check_complaints(
        {"--iso8583-key", {"2", "7", "3,41", "7,7", "7;11", "7,11,37,41", ",", "11,"}, "3, 7, 11, 37 and 41"});
    for (const auto& option : {"--iso8583-late", "--iso8583-echo"})
        check_complaints({option, {"2", "soon"}, "250ms"});
    check_complaints({"--iso8583-late", {"0s"}, "above zero"});
    check_complaints({"--iso8583-sign-on", {"true", "1", "On"}, "on or off"});
    check_complaints({"--log-level", {"warn", "INFO", "off", "3"}, "trace, debug"});
    check_complaints({"--log-format", {"JSON", "xml"}, "text or json"});
    check_complaints({"--log-file", {" a", "a ", "a #b", "a\tb", "--share-port"}, "give a file name"});
}

BOOST_AUTO_TEST_CASE(a_negative_value_is_answered_with_one_line_that_names_the_option)
{
    for (const std::string option :
         {"--reply-timeout", "--reconnect-max", "--drain-timeout", "--idle-timeout", "--write-timeout"})
        BOOST_TEST(contains(complaint(parse_bridge({option + "=-1s"})), option));
    for (const std::string option : {"--upstream-window", "--max-pending", "--max-connections", "--threads"})
        BOOST_TEST(contains(complaint(parse_bridge({option + "=-1"})), option));
    for (const auto& given : {arguments{"--threads", "-1"}, arguments{"--reply-timeout", "-1s"}})
        check_one_helpful_line(complaint(parse_bridge(given)), "causeway");
}

BOOST_AUTO_TEST_CASE(a_wrong_value_is_answered_with_the_value_and_what_to_give_instead)
{
    const auto place = complaint(parse_bridge({"--listen=8090"}));
    BOOST_TEST(contains(place, "'8090'"), place);
    BOOST_TEST(contains(place, "give HOST:PORT"), place);
    const auto port = complaint(parse_bridge({"--listen=127.0.0.1:70000"}));
    BOOST_TEST(contains(port, "65535"), port);

    const auto duration = complaint(parse_bridge({"--reply-timeout=2"}));
    BOOST_TEST(contains(duration, "'2'"), duration);
    BOOST_TEST(contains(duration, "with its unit, such as 250ms"), duration);

    const auto count = complaint(parse_bridge({"--threads=many"}));
    BOOST_TEST(contains(count, "'many'"), count);
    BOOST_TEST(contains(count, "whole number"), count);

    const auto level = complaint(parse_bridge({"--log-level=loud"}));
    BOOST_TEST(contains(level, "'loud'"), level);
    BOOST_TEST(contains(level, "trace, debug, info, warning or error"), level);
}

BOOST_AUTO_TEST_CASE(a_value_of_several_lines_is_answered_with_one_line)
{
    for (const std::string value : {"a\nb", "a\r\nb", "\n", "2s\n"})
        for (const std::string option : {"--listen", "--upstream", "--reply-timeout", "--threads", "--log-level"})
            check_one_helpful_line(complaint(parse_bridge({option, value})), "causeway");
    check_one_helpful_line(complaint(parse_bridge({"--un\nknown"})), "causeway");
}

BOOST_AUTO_TEST_CASE(a_reply_timeout_of_nothing_is_wrong_but_draining_may_take_no_time)
{
    BOOST_TEST(contains(complaint(parse_bridge({"--reply-timeout=0s"})), "--reply-timeout"));
    BOOST_TEST(contains(complaint(parse_bridge({"--reconnect-max=0ms"})), "--reconnect-max"));
    BOOST_TEST(contains(complaint(parse_code_server({"--bind-retry=0s"})), "--bind-retry"));
    BOOST_TEST(bridge({"--drain-timeout=0s"}).drain_timeout == 0ns);
}

BOOST_AUTO_TEST_CASE(only_the_port_to_listen_on_may_be_zero)
{
    BOOST_TEST(bridge({"--listen=127.0.0.1:0"}).listen.port == 0);
    BOOST_TEST(code_server({"--listen=127.0.0.1:0"}).listen.port == 0);

    const auto line = complaint(parse_bridge({"--upstream=127.0.0.1:0"}));

    check_one_helpful_line(line, "causeway");
    BOOST_TEST(contains(line, "--upstream"), line);
}

BOOST_AUTO_TEST_CASE(one_wrong_upstream_among_right_ones_is_found)
{
    const auto line = complaint(parse_bridge({"--upstream", "one:1", "--upstream", "two", "--upstream", "three:3"}));

    check_one_helpful_line(line, "causeway");
    BOOST_TEST(contains(line, "--upstream 'two'"), line);
}

BOOST_AUTO_TEST_CASE(an_unknown_option_is_wrong)
{
    for (const std::string option : {"--nonsense", "--nonsense=1", "--Listen", "--list-en", "-l", "-x"}) {
        const auto line = complaint(parse_bridge({option}));

        check_one_helpful_line(line, "causeway");
        BOOST_TEST(contains(line, option.substr(0, option.find('='))), line);
    }
    BOOST_TEST(contains(complaint(parse_code_server({"--upstream", "a:1"})), "--upstream"));
    BOOST_TEST(contains(complaint(parse_iso8583_host({"--iso8583-key", "7,11"})), "--iso8583-key"));
}

BOOST_AUTO_TEST_CASE(an_abbreviated_option_is_wrong)
{
    for (const auto& option : bridge_options) {
        const auto shorter = option.substr(0, option.size() - 1);
        for (const auto& given : {arguments{shorter}, arguments{shorter, "1"}, arguments{shorter + "=1"}}) {
            const auto line = complaint(parse_bridge(given));

            check_one_helpful_line(line, "causeway");
            BOOST_TEST(contains(line, shorter), line);
        }
    }
    check_one_helpful_line(complaint(parse_bridge({"--list", "127.0.0.1:80"})), "causeway");
}

BOOST_AUTO_TEST_CASE(an_argument_without_an_option_is_wrong)
{
    for (const auto& given : {arguments{"8090"}, arguments{"help"}, arguments{""}, arguments{"--", "x"},
                              arguments{"--share-port", "yes"}, arguments{"--threads", "1", "2"}}) {
        check_one_helpful_line(complaint(parse_bridge(given)), "causeway");
        check_one_helpful_line(complaint(parse_code_server({"9670"})), "code-server");
    }
}

BOOST_AUTO_TEST_CASE(options_that_need_each_other_are_wrong_alone)
{
    const std::vector<std::pair<arguments, std::string>> incomplete{
        {{"--tls-certificate", "a"}, "--tls-private-key"},
        {{"--tls-private-key", "a"}, "--tls-certificate"},
        {{"--tls-client-ca", "a"}, "--tls-certificate"},
        {{"--upstream", "a:1", "--upstream-tls", "--upstream-certificate", "a"}, "--upstream-private-key"},
        {{"--upstream", "a:1", "--upstream-tls", "--upstream-private-key", "a"}, "--upstream-certificate"},
        {{"--upstream", "a:1", "--upstream-ca", "a"}, "--upstream-tls"},
        {{"--upstream", "a:1", "--upstream-tls-name", "a"}, "--upstream-tls"},
        {{"--upstream-tls"}, "--upstream:"},
        {{"--upstream-tls", "--check-config"}, "--upstream:"}};
    for (const auto& [given, missing] : incomplete)
        BOOST_TEST_CONTEXT(given.front() << ' ' << given.back())
        {
            const auto line = complaint(parse_bridge(given));
            BOOST_TEST(contains(line, missing), line);
        }
}

BOOST_AUTO_TEST_CASE(an_option_without_its_value_is_wrong)
{
    for (const auto& option : bridge_options) {
        if (option == "--share-port" || option == "--coalesce" || option == "--help" || option == "--version" ||
            option == "--check-config" || option == "--upstream-tls" || option == "--iso8583-frame-includes-itself")
            continue;
        for (const auto& given : {arguments{option}, arguments{option + "="}, arguments{option, ""},
                                  arguments{option, "--share-port"}, arguments{"--share-port", option}}) {
            BOOST_TEST_CONTEXT(given.front() << ' ' << given.back())
            {
                const auto line = complaint(parse_bridge(given));

                check_one_helpful_line(line, "causeway");
                BOOST_TEST(contains(line, option), line);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_switch_takes_no_value)
{
    for (const std::string option : {"--share-port", "--help", "--version"}) {
        const auto line = complaint(parse_bridge({option + "=yes"}));

        check_one_helpful_line(line, "causeway");
        BOOST_TEST(contains(line, option), line);
    }
}

BOOST_AUTO_TEST_CASE(an_option_given_twice_is_wrong)
{
    const temporary_file file;
    const std::vector<arguments> once = {{"--listen", "a:1"},     {"--reply-timeout", "1s"},  {"--reconnect-max", "1s"},
                                         {"--max-pending", "1"},  {"--upstream-window", "1"}, {"--threads", "1"},
                                         {"--log-level", "info"}, {"--max-connections", "1"}, {"--drain-timeout", "1s"},
                                         {"--share-port"},        {"--config", file.path()}};
    for (const auto& given : once) {
        bridge(given);
        auto twice = given;
        twice.insert(twice.end(), given.begin(), given.end());

        const auto line = complaint(parse_bridge(twice));

        check_one_helpful_line(line, "causeway");
        BOOST_TEST(contains(line, given.front()), line);
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_option_beside_right_ones_is_found)
{
    const auto line = complaint(parse_bridge({"--threads", "1", "--max-pending", "none", "--share-port"}));

    check_one_helpful_line(line, "causeway");
    BOOST_TEST(contains(line, "--max-pending"), line);
}

BOOST_AUTO_TEST_CASE(the_command_line_counts_for_more_than_the_environment_and_that_for_more_than_a_file)
{
    const temporary_file file("threads = 1\nmax-pending = 1\nmax-connections = 1\n");
    const arguments variables{"CAUSEWAY_THREADS=2", "CAUSEWAY_MAX_PENDING=2"};

    const auto settings = bridge({"--threads=3", "--config", file.path()}, variables);

    BOOST_TEST(settings.threads == 3U);
    BOOST_TEST(settings.max_pending == 2U);
    BOOST_TEST(settings.max_connections == 1U);
}

BOOST_AUTO_TEST_CASE(upstreams_of_one_source_take_the_place_of_those_of_another)
{
    const temporary_file file("upstream = file:1\nupstream = file:2\n");
    using places = std::vector<net::host_port>;

    BOOST_TEST((bridge({"--config", file.path()}).upstreams == places{{"file", 1}, {"file", 2}}));
    BOOST_TEST((bridge({"--config", file.path()}, {"CAUSEWAY_UPSTREAM=one:1, two:2 [::3]:3"}).upstreams ==
                places{{"one", 1}, {"two", 2}, {"::3", 3}}));
    BOOST_TEST((bridge({"--config", file.path(), "--upstream=line:1"}, {"CAUSEWAY_UPSTREAM=one:1"}).upstreams ==
                places{{"line", 1}}));
}

BOOST_AUTO_TEST_CASE(a_variable_that_is_empty_or_another_programs_counts_as_not_set)
{
    const auto settings = bridge({}, {"CAUSEWAY_THREADS=", "CAUSEWAY_UPSTREAM=", "CODESERVER_NONSENSE=1", "THREADS=7"});

    BOOST_TEST(settings.threads == std::max(1U, std::thread::hardware_concurrency()));
    BOOST_TEST(settings.upstreams.empty());
}

BOOST_AUTO_TEST_CASE(a_variable_for_several_values_that_has_none_is_wrong)
{
    for (const std::string value : {" ", ",", ", ,"}) {
        const auto line = complaint(parse_bridge({}, {"CAUSEWAY_UPSTREAM=" + value}));

        check_one_helpful_line(line, "causeway");
        BOOST_TEST(contains(line, "CAUSEWAY_UPSTREAM: --upstream '" + value + "': give HOST:PORT"), line);
    }
}

BOOST_AUTO_TEST_CASE(a_switch_in_a_file_or_the_environment_is_true_or_false)
{
    const temporary_file file("coalesce = true\nshare-port = true\n");

    const auto settings = bridge({"--config", file.path()}, {"CAUSEWAY_SHARE_PORT=false"});

    BOOST_TEST(settings.coalesce);
    BOOST_TEST(!settings.share_port);
    BOOST_TEST(contains(complaint(parse_bridge({}, {"CAUSEWAY_COALESCE=yes"})), "true or false"));
}

BOOST_AUTO_TEST_CASE(all_errors_are_found_and_say_where_they_are)
{
    const temporary_file file("# good\n\nthreads = 0\nnonsense = 1\nupstream\nmax-pending = 1\nmax-pending = 2\n");
    const auto at = [&](int line) { return "causeway: " + file.path() + ':' + std::to_string(line) + ": "; };

    const auto lines = complaint(parse_bridge({"--idle-timeout=x", "--config", file.path()},
                                              {"CAUSEWAY_WRITE_TIMEOUT=10", "CAUSEWAY_LISTENS=a:1"}));

    for (const auto& beginning :
         {std::string("causeway: --idle-timeout 'x': give a duration"),
          std::string("causeway: CAUSEWAY_WRITE_TIMEOUT: --write-timeout '10': give a duration"),
          std::string("causeway: CAUSEWAY_LISTENS: there is no option 'listens'"),
          at(3) + "--threads '0': give a whole number", at(4) + "there is no option 'nonsense'",
          at(5) + "'upstream': give name = value", at(7) + "option '--max-pending' cannot be specified more than once"})
        BOOST_TEST(contains('\n' + lines, '\n' + beginning), beginning << " is missing in: " << lines);
    BOOST_TEST(std::ranges::count(lines, '\n') == 6);
}

BOOST_AUTO_TEST_CASE(a_wrong_value_is_found_also_where_another_source_counts_for_more)
{
    const temporary_file file("threads = none\n");

    BOOST_TEST(contains(complaint(parse_bridge({"--threads=1", "--config", file.path()})), file.path() + ":1: "));
}

BOOST_AUTO_TEST_CASE(what_is_for_the_command_line_only_cannot_be_set_elsewhere)
{
    for (const std::string name : {"config", "check-config", "help", "version"}) {
        const temporary_file file(name + " = true\n");
        BOOST_TEST(contains(complaint(parse_bridge({"--config", file.path()})), "no option '" + name + "'"));
    }
    BOOST_TEST(contains(complaint(parse_bridge({}, {"CAUSEWAY_CONFIG=a"})), "no option 'config'"));
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_is_an_error_that_names_it)
{
    for (const std::string name : {"/nonexistent/causeway.conf", "/"}) {
        const auto line = complaint(parse_bridge({"--config", name}));

        check_one_helpful_line(line, "causeway");
        BOOST_TEST(contains(line, "cannot read --config " + name + ": "), line);
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_could_not_be_read_again_is_an_error_and_not_waited_for)
{
    const temporary_directory directory;
    const auto pipe = directory.path() + "/pipe";
    BOOST_TEST_REQUIRE(::mkfifo(pipe.c_str(), S_IRUSR | S_IWUSR) == 0);
    for (const std::string name : {"/dev/null", pipe.c_str()}) {
        const auto line = complaint(parse_bridge({"--config", name}));

        check_one_helpful_line(line, "causeway");
        BOOST_TEST(contains(line, "cannot read --config " + name + ": it is not a regular file"), line);
    }
}

BOOST_AUTO_TEST_CASE(what_check_config_prints_is_a_file_that_gives_the_same)
{
    const arguments variables{"CAUSEWAY_COALESCE=true"};
    const temporary_file given("upstream = a:1\nupstream = [::1]:2\nthreads = 5\nlog-file = /tmp/a log\n");
    const arguments line{"--config", given.path(), "--reply-timeout=7s", "--check-config"};

    const auto printed = information(parse_bridge(line, variables));
    const temporary_file again(printed);
    const auto same = bridge({"--config", again.path()});

    BOOST_TEST((same.upstreams == std::vector<net::host_port>{{"a", 1}, {"::1", 2}}));
    BOOST_TEST(same.reply_timeout == nanoseconds(7s));
    BOOST_TEST(same.threads == 5U);
    BOOST_TEST(same.coalesce);
    BOOST_TEST(same.log.file == "/tmp/a log");
    const auto settings_in = [](std::string text) { return std::regex_replace(text, std::regex(" +#.*"), ""); };
    BOOST_TEST(settings_in(information(parse_bridge({"--config", again.path(), "--check-config"}))) ==
               settings_in(printed));
}

BOOST_AUTO_TEST_CASE(check_config_tells_each_option_and_where_its_value_is_from)
{
    const temporary_file file("\nmax-pending = 7\n");

    const auto text = information(
        parse_bridge({"--config", file.path(), "--reply-timeout=7s", "--check-config"}, {"CAUSEWAY_THREADS=5"}));

    const std::string expected = "reply-timeout = 7s +# command line\n(.*\n)*"
                                 "max-pending = 7 +# " +
                                 file.path() +
                                 ":2\n(.*\n)*"
                                 "write-timeout = 10s +# default\n"
                                 "threads = 5 +# CAUSEWAY_THREADS\n(.*\n)*"
                                 "# log-file = +# default: none\n";
    BOOST_TEST(std::regex_search(text, std::regex(expected)), text);
    for (const auto& option : bridge_options)
        if (const auto name = option.substr(2);
            name != "config" && name != "check-config" && name != "help" && name != "version")
            BOOST_TEST(contains('\n' + text, name + " ="), name << " is missing in: " << text);
}

BOOST_AUTO_TEST_CASE(check_config_of_what_makes_no_sense_is_an_error)
{
    check_one_helpful_line(complaint(parse_bridge({"--check-config", "--threads=0"})), "causeway");
}

BOOST_AUTO_TEST_CASE(help_lists_every_option)
{
    const auto bridge_help = information(parse_bridge({"--help"}));
    for (const auto& option : bridge_options)
        BOOST_TEST(contains(bridge_help, "  " + option + ' '), option << " is missing in: " << bridge_help);

    const auto code_server_help = information(parse_code_server({"--help"}));
    for (const auto& option : code_server_options)
        BOOST_TEST(contains(code_server_help, "  " + option + ' '), option << " is missing in: " << code_server_help);

    const auto iso8583_host_help = information(parse_iso8583_host({"--help"}));
    for (const auto& option : iso8583_host_options)
        BOOST_TEST(contains(iso8583_host_help, "  " + option + ' '), option << " is missing in: " << iso8583_host_help);
}

BOOST_AUTO_TEST_CASE(the_manual_tells_of_each_option_whether_a_reload_applies_it)
{
    const auto manual = causeway::test::text_of(CAUSEWAY_PROJECT_DIR "/docs/operations.md");
    const auto table = manual.find("| applies at once | how |\n");
    const auto end_of_table = manual.find("\n\n", table);
    const auto end_of_list = manual.find(" need a restart", end_of_table);
    BOOST_TEST_REQUIRE(end_of_list != manual.npos);
    names told_at_once;
    for (const auto& row : matches(manual.substr(table, end_of_table - table), std::regex("\n\\|([^|]*)\\|")))
        told_at_once.merge(matches(row, option_name));
    const auto told_at_restart = matches(manual.substr(end_of_table, end_of_list - end_of_table), option_name);

    service::bridge_settings of_bridge;
    service::code_server_settings of_code_server;
    service::iso8583_host_settings of_iso8583_host;
    names at_once;
    names at_restart;
    for (const auto& options :
         {service::options_of(of_bridge), service::options_of(of_code_server), service::options_of(of_iso8583_host)})
        for (const auto& option : options)
            (option.at_once ? at_once : at_restart).insert(option.name);
    BOOST_TEST(told_at_once == at_once, boost::test_tools::per_element());
    BOOST_TEST(told_at_restart == at_restart, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(help_tells_the_defaults)
{
    const auto help = information(parse_bridge({"--help"}));

    for (const auto value :
         {"127.0.0.1:8090", "=2s", "=3s", "=the number of cores", "=1024", "=65536", "=16384", "=10s", "=info"})
        BOOST_TEST(contains(help, value), value << " is missing in: " << help);
}

BOOST_AUTO_TEST_CASE(help_is_given_whatever_the_values_of_other_options)
{
    BOOST_TEST(contains(information(parse_bridge({"--help", "--threads", "none"})), "--threads"));
    BOOST_TEST(contains(information(parse_bridge({"--threads", "none", "--help", "--version"})), "--threads"));
}

BOOST_AUTO_TEST_CASE(the_version_is_the_name_of_the_program_and_three_numbers)
{
    const auto bridge_version = information(parse_bridge({"--version"}));
    const auto code_server_version = information(parse_code_server({"--version"}));

    BOOST_TEST(std::regex_match(bridge_version, std::regex(R"(causeway \d+\.\d+\.\d+\n)")), bridge_version);
    BOOST_TEST(std::regex_match(code_server_version, std::regex(R"(code-server \d+\.\d+\.\d+\n)")),
               code_server_version);
}

BOOST_AUTO_TEST_SUITE_END()
