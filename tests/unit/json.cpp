#include "http/json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <random>
#include <string>
#include <string_view>

namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

std::string object_with(std::string_view data)
{
    std::string object;
    causeway::http::append_json("data", data, object);
    return object;
}

std::string data_in(const std::string& object)
{
    const auto value = boost::json::parse(object);
    BOOST_TEST(value.as_object().size() == 1U);
    return std::string(value.at("data").as_string());
}

// The value that a parser gets.
std::string round_trip(std::string_view data) { return data_in(object_with(data)); }

} // namespace

BOOST_AUTO_TEST_SUITE(json)

BOOST_AUTO_TEST_CASE(an_object_is_appended_to_what_was_there_before)
{
    std::string output = "before";

    causeway::http::append_json("error", "x", output);

    BOOST_TEST(output == R"(before{"error":"x"})");
}

BOOST_AUTO_TEST_CASE(what_json_needs_escaped_is_escaped)
{
    BOOST_TEST(object_with("\"xyz\"") == R"({"data":"\"xyz\""})");
    BOOST_TEST(object_with("a\\b") == R"({"data":"a\\b"})");
    BOOST_TEST(object_with("\r\n\t\b\f") == R"({"data":"\r\n\t\b\f"})");
    BOOST_TEST(object_with("\0\x01\x1f"s) == R"({"data":"\u0000\u0001\u001f"})");
    BOOST_TEST(object_with("</script>'&") == R"({"data":"</script>'&"})");
    BOOST_TEST(object_with("") == R"({"data":""})");
}

// Wherever it is in the eight bytes that are checked together.
BOOST_AUTO_TEST_CASE(every_byte_is_escaped_alike_wherever_it_stands)
{
    for (int value = 0; value < 128; ++value)
        for (std::size_t place = 0; place != 20; ++place)
            for (const std::string end : {"\n", ""}) {
                std::string line(20, 'x');
                line[place] = static_cast<char>(value);
                BOOST_TEST(object_with(line + end) == "{\"data\":" + boost::json::serialize(line + end) + '}');
            }
}

BOOST_AUTO_TEST_CASE(every_ascii_character_comes_back_when_the_json_is_parsed)
{
    for (int value = 0; value < 128; ++value) {
        const std::string line = "Code 404: " + std::string(1, static_cast<char>(value)) + "\n";

        BOOST_TEST(round_trip(line) == line, "character " << value);
    }
}

BOOST_AUTO_TEST_CASE(utf_8_stays_as_it_is)
{
    for (const auto line : {"\u00e9"sv, "\u07ff"sv, "\u0800"sv, "\uffff"sv, "\U00010000"sv, "\U0010ffff"sv, "\u2028"sv,
                            "\ufffd"sv, "déjà vu … 彩虹 🌈"sv})
        BOOST_TEST(round_trip(line) == line);
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_utf_8_are_replaced_and_the_others_stay)
{
    BOOST_TEST(round_trip("a\xff"
                          "b\n") == "a\ufffdb\n");
    BOOST_TEST(round_trip("caf\xe9 404") == "caf\ufffd 404");
    BOOST_TEST(round_trip("\x80") == "\ufffd");
    BOOST_TEST(round_trip("é\xc3") == "é\ufffd");
    BOOST_TEST(round_trip("\xff\"\xfe") == "\ufffd\"\ufffd");
}

BOOST_AUTO_TEST_CASE(no_byte_that_is_not_utf_8_gets_out)
{
    const auto broken = std::to_array<std::string_view>({
        "\xc0\x80"sv,         // overlong
        "\xe0\x80\x80"sv,     // overlong
        "\xf0\x80\x80\x80"sv, // overlong
        "\xed\xa0\x80"sv,     // half of a surrogate pair
        "\xed\xbf\xbf"sv,     // the other half
        "\xf4\x90\x80\x80"sv, // above U+10FFFF
        "\xf8\x88\x80\x80\x80"sv,
        "\xc3"sv,         // cut off
        "\xe2\x80"sv,     // cut off
        "\xf0\x9f\x8c"sv, // cut off
        "\xbf\xbf"sv,     // continues nothing
        "\xfe\xff"sv,
    });
    for (const auto bytes : broken)
        for (const auto after : {""sv, "x"sv, "\n"sv, "é"sv}) {
            const auto line = "Code 404: " + std::string(bytes) + std::string(after);

            const auto data = round_trip(line);

            BOOST_TEST(data.starts_with("Code 404: \ufffd"), data);
            BOOST_TEST(data.ends_with(after), data);
        }
}

BOOST_AUTO_TEST_CASE(any_bytes_make_valid_json)
{
    constexpr unsigned seed = 1;
    std::mt19937 random(seed);
    constexpr auto often = "\xc3\xa9\xe2\x80\xa6\xf0\x9f\x8c\x88\"\\\n{}\xff\xed\xa0"sv;
    for (int times = 0; times < 5000; ++times) {
        std::string line;
        for (auto length = random() % 24; length > 0; --length)
            line += random() % 2 == 0 ? static_cast<char>(random() % 256) : often[random() % often.size()];

        const auto body = object_with(line);

        boost::system::error_code error;
        const auto value = boost::json::parse(body, error);
        BOOST_TEST_REQUIRE(!error, "seed " << seed << ", round " << times << ": " << body);
        BOOST_TEST(value.at("data").is_string());
    }
}

BOOST_AUTO_TEST_SUITE_END()
