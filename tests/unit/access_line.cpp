#include "service/access_line.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>

namespace {

namespace http = causeway::http;
namespace json = boost::json;
using causeway::clock;
namespace service = causeway::service;
using causeway::service::log_format;
using namespace std::chrono_literals;

const clock::time_point began(5s);
const std::chrono::system_clock::time_point wall(std::chrono::seconds(1'732'440'000) + 7ms); // when it began

// Answered after 1 + 2 + 30 + 4 microseconds.
http::access usual()
{
    http::access access;
    access.id = "5f2c";
    access.method = "GET";
    access.target = "/?statusCode=404";
    access.version = 11;
    access.status = 200;
    access.bytes = 103;
    access.sent = true;
    access.began_at = began;
    access.ended_at = began + 37us;
    access.trace = {"reply", "127.0.0.1:9670", began + 3us, began + 33us, began + 1us};
    return access;
}

std::string text_of(service::access_line& line, const http::access& access)
{
    std::array<char, service::access_line::longest> text;
    return {text.data(), line.write(access, "127.0.0.1:40312", text.data())};
}

std::string line_of(const http::access& access, log_format format = log_format::text)
{
    service::access_line line(format);
    line.set_clock(began, wall);
    return text_of(line, access);
}

http::access with_target(std::string target)
{
    auto access = usual();
    access.target = std::move(target);
    return access;
}

bool is_printable(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

} // namespace

BOOST_AUTO_TEST_SUITE(access_line)

BOOST_AUTO_TEST_CASE(a_line_of_text_has_a_fixed_form)
{
    BOOST_TEST(line_of(usual()) ==
               "2024-11-24T09:20:00.007Z 127.0.0.1:40312 5f2c \"GET /?statusCode=404 HTTP/1.1\" 200 103 reply "
               "127.0.0.1:9670 read=1 wait=2 wire=30 write=4\n");
}

BOOST_AUTO_TEST_CASE(a_line_of_json_is_an_object)
{
    BOOST_TEST(line_of(usual(), log_format::json) ==
               R"({"time":"2024-11-24T09:20:00.007Z","peer":"127.0.0.1:40312","id":"5f2c","method":"GET",)"
               R"("target":"/?statusCode=404","version":"HTTP/1.1","status":200,"bytes":103,"outcome":"reply",)"
               R"("upstream":"127.0.0.1:9670","read_us":1,"wait_us":2,"wire_us":30,"write_us":4})"
               "\n");
}

BOOST_AUTO_TEST_CASE(what_there_was_not_is_a_dash_or_null)
{
    http::access access;
    access.id = "5f2c";
    access.target = "of another request";
    access.status = 400;
    access.sent = true;
    access.began_at = access.trace.read_at = access.ended_at = began;
    BOOST_TEST(line_of(access) == "2024-11-24T09:20:00.007Z 127.0.0.1:40312 5f2c \"-\" 400 0 refused - read=0 wait=0 "
                                  "wire=0 write=0\n");
    const auto object = json::parse(line_of(access, log_format::json));
    for (const auto* name : {"method", "target", "version", "upstream"})
        BOOST_TEST(object.at(name).is_null(), name);
}

BOOST_AUTO_TEST_CASE(an_answer_that_was_not_sent_has_no_status_and_no_bytes)
{
    auto access = usual();
    access.sent = false;
    BOOST_TEST(line_of(access).find("HTTP/1.1\" - 0 reply ") != std::string::npos);
    BOOST_TEST(json::parse(line_of(access, log_format::json)).at("status").is_null());
}

BOOST_AUTO_TEST_CASE(whatever_a_client_sends_a_line_is_one_line_of_printable_ascii)
{
    for (int byte = 0; byte != 256; ++byte) {
        const auto access = with_target(std::string("/a") + static_cast<char>(byte) + "b");
        const auto text = line_of(access);
        const auto object = line_of(access, log_format::json);
        BOOST_TEST_CONTEXT("byte " << byte << ": " << text)
        {
            BOOST_TEST(is_printable(text.substr(0, text.size() - 1)));
            BOOST_TEST(is_printable(object.substr(0, object.size() - 1)));
            BOOST_TEST(std::ranges::count(text, '"') - (byte == '"' ? 1 : 0) == 2);
            const auto target = json::parse(object).at("target").as_string();
            const auto character =
                byte < 0x80 ? std::string(1, static_cast<char>(byte))
                            : std::string{static_cast<char>(0xc0 | byte >> 6), static_cast<char>(0x80 | (byte & 0x3f))};
            BOOST_TEST(std::string(target) == "/a" + character + "b");
        }
    }
    BOOST_TEST(line_of(with_target("/\r\n\"x\\\x1b\xff")).find(R"( /\x0d\x0a\"x\\\x1b\xff HTTP/1.1")") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_long_target_is_cut_between_two_characters_and_says_so)
{
    for (const std::string_view part : {"x", "\\", "\n", "ab\""})
        for (std::size_t shift = 0; shift != 6; ++shift) {
            std::string target(shift, 'x');
            while (target.size() < 3000)
                target += part;
            const auto object = json::parse(line_of(with_target(target), log_format::json));
            const auto shown = std::string(object.at("target").as_string());
            BOOST_TEST(shown.ends_with("..."));
            BOOST_TEST(target.starts_with(shown.substr(0, shown.size() - 3)));

            const auto text = line_of(with_target(target));
            const auto end = text.find("... HTTP/1.1\"");
            BOOST_TEST_REQUIRE(end != std::string::npos);
            const auto length = end - text.find(" \"GET ") - 6;
            BOOST_TEST(length <= service::access_line::longest_target);
            BOOST_TEST(length >= service::access_line::longest_target - 5);
        }
    const std::string just_fits(service::access_line::longest_target, 'x');
    BOOST_TEST(line_of(with_target(just_fits)).find(just_fits + " HTTP/1.1\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_longest_line_is_written_in_one_go)
{
    auto access = with_target(std::string(70'000, '\n'));
    const std::string name(1000, '"');
    access.id = std::string(http::access::longest_id, 'x');
    access.method = name;
    access.trace.upstream = name;
    access.bytes = static_cast<std::size_t>(-1);
    access.ended_at = began + std::chrono::hours(24 * 365 * 100);
    for (const auto format : {log_format::text, log_format::json}) {
        const auto line = line_of(access, format);
        BOOST_TEST(line.size() < service::access_line::longest);
        BOOST_TEST(line.ends_with('\n'));
    }
}

BOOST_AUTO_TEST_CASE(what_was_never_written_has_waited_for_a_place)
{
    auto access = usual();
    access.trace.upstream = {};
    BOOST_TEST(line_of(access).ends_with(" read=1 wait=32 wire=0 write=4\n"));
}

BOOST_AUTO_TEST_CASE(a_message_that_was_written_before_the_request_came_has_no_wait)
{
    auto access = usual();
    access.trace.written_at = began - 1s;
    BOOST_TEST(line_of(access).ends_with(" read=1 wait=0 wire=32 write=4\n"));
}

BOOST_AUTO_TEST_CASE(the_time_of_a_line_is_when_the_request_ended)
{
    service::access_line line(log_format::text);
    line.set_clock(began, wall);
    const auto time_after = [&](std::chrono::nanoseconds passed) {
        auto access = usual();
        access.ended_at = began + passed;
        return text_of(line, access).substr(0, 24);
    };
    BOOST_TEST(time_after(992ms) == "2024-11-24T09:20:00.999Z");
    BOOST_TEST(time_after(993ms) == "2024-11-24T09:20:01.000Z");
    BOOST_TEST(time_after(-8ms) == "2024-11-24T09:19:59.999Z");
    line.set_clock(began, wall + 24h);
    BOOST_TEST(time_after(0ms) == "2024-11-25T09:20:00.007Z");
}

BOOST_AUTO_TEST_CASE(lost_lines_are_told_in_the_form_of_the_log)
{

    BOOST_TEST(service::lost_lines(7, wall, log_format::text) ==
               "2024-11-24T09:20:00Z 7 lines of this log are lost here, because there was no room for them\n");
    const auto object = json::parse(service::lost_lines(7, wall, log_format::json));
    BOOST_TEST(object.at("time").as_string() == "2024-11-24T09:20:00Z");
    BOOST_TEST(object.at("message").as_string().starts_with("7 lines of this log are lost"));
}

BOOST_AUTO_TEST_SUITE_END()
