#include "service/log_format.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>
#include <spdlog/details/log_msg.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <string>
#include <string_view>

namespace {

namespace json = boost::json;
namespace service = causeway::service;
using namespace std::chrono_literals;

std::string json_line(std::string_view text, spdlog::level::level_enum level = spdlog::level::info)
{
    const spdlog::log_clock::time_point time(std::chrono::seconds(1'732'440'000) + 7ms);
    const spdlog::details::log_msg message(time, {}, "logger", level, {text.data(), text.size()});
    spdlog::memory_buf_t line;
    service::make_formatter(service::log_format::json)->format(message, line);
    return {line.data(), line.size()};
}

std::string message_in(const std::string& line) { return std::string(json::parse(line).at("message").as_string()); }

} // namespace

BOOST_AUTO_TEST_SUITE(log_format)

BOOST_AUTO_TEST_CASE(a_json_line_is_an_object_with_time_level_and_message)
{
    BOOST_TEST(json_line("all is well") ==
               R"({"time":"2024-11-24T09:20:00.007Z","level":"info","message":"all is well"})"
               "\n");
}

BOOST_AUTO_TEST_CASE(a_json_line_names_each_level)
{
    BOOST_TEST(json::parse(json_line("", spdlog::level::trace)).at("level").as_string() == "trace");
    BOOST_TEST(json::parse(json_line("", spdlog::level::debug)).at("level").as_string() == "debug");
    BOOST_TEST(json::parse(json_line("", spdlog::level::warn)).at("level").as_string() == "warning");
    BOOST_TEST(json::parse(json_line("", spdlog::level::err)).at("level").as_string() == "error");
}

BOOST_AUTO_TEST_CASE(a_json_line_is_valid_and_printable_whatever_its_message_contains)
{
    for (int byte = 0; byte != 256; ++byte) {
        const auto line = json_line(std::string("a") + static_cast<char>(byte) + "b");
        BOOST_TEST_CONTEXT("byte " << byte << ": " << line)
        {
            BOOST_TEST(line.find('\n') == line.size() - 1);
            BOOST_TEST(
                std::ranges::all_of(line.substr(0, line.size() - 1), [](char c) { return c >= ' ' && c <= '~'; }));
            const auto message = message_in(line);
            BOOST_TEST(message.starts_with('a'));
            BOOST_TEST(message.ends_with('b'));
        }
    }
    BOOST_TEST(message_in(json_line(R"(quoted "text" and a \ )")) == R"(quoted "text" and a \ )");
    BOOST_TEST(message_in(json_line("\x1b[2J\xff")) == R"(\x1b[2J\xff)");
}

BOOST_AUTO_TEST_CASE(a_json_line_that_is_too_long_is_cut_between_two_characters_and_says_so)
{
    for (const std::string_view part : {"x", "\\", "\n", "ab\""})
        for (std::size_t shift = 0; shift != 5; ++shift) {
            std::string text(shift, 'x');
            while (text.size() < 5000)
                text += part;

            const auto line = json_line(text);

            BOOST_TEST(line.size() <= PIPE_BUF - 3U);
            BOOST_TEST(line.size() >= PIPE_BUF - 10U);
            BOOST_TEST(message_in(line).ends_with(" (cut)"));
        }
}

BOOST_AUTO_TEST_SUITE_END()
