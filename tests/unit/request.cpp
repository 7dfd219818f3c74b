#include "protocols/codes/request.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace codes = causeway::codes;
using namespace std::string_view_literals;

using texts = std::vector<std::string>;

// All codes in `pieces`, each of which arrives separately, and what is left at the end of the stream.
texts codes_in(const std::vector<std::string_view>& pieces)
{
    codes::request_decoder decoder;
    texts found;
    for (auto piece : pieces)
        while (auto code = decoder.next(piece))
            found.push_back(*std::move(code));
    if (auto code = decoder.finish())
        found.push_back(*std::move(code));
    return found;
}

texts codes_in(std::string_view stream) { return codes_in(std::vector{stream}); }

std::vector<std::string_view> bytes_of(std::string_view stream)
{
    std::vector<std::string_view> bytes;
    for (std::size_t at = 0; at < stream.size(); ++at)
        bytes.push_back(stream.substr(at, 1));
    return bytes;
}

constexpr auto streams = std::to_array<std::string_view>({
    "404"sv,
    "404\n"sv,
    "404\r\n200\r\n"sv,
    "404200500"sv,
    "404\n200\n500"sv,
    "\r\n\r\n404\n\n\n200\r\r500\n\r"sv,
    "4\n40\n404\n4"sv,
    "4\r\n40\r\n4040\r\n40404\r\n"sv,
    "GET /?statusCode=404 HTTP/1.1\r\n\r\n"sv,
    "\0\xff\x80\n 4\t\n\x7f\x01\x02\x03"sv,
    ""sv,
});

} // namespace

BOOST_AUTO_TEST_SUITE(request)

BOOST_AUTO_TEST_CASE(a_request_is_the_code_and_a_line_feed)
{
    std::string wire;

    codes::append_request(*codes::code::parse("404"), wire);

    BOOST_TEST(wire == "404\n");
}

BOOST_AUTO_TEST_CASE(a_request_is_appended_to_what_was_there_before)
{
    std::string wire = "200\n";

    codes::append_request(*codes::code::parse("aZ9"), wire);
    codes::append_request(*codes::code::parse("404"), wire);

    BOOST_TEST(wire == "200\naZ9\n404\n");
}

BOOST_AUTO_TEST_CASE(only_letters_and_digits_can_be_requested)
{
    constexpr auto allowed = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"sv;
    for (std::size_t position = 0; position < codes::code::size; ++position)
        for (int value = 0; value < 256; ++value) {
            std::string text = "404";
            text[position] = static_cast<char>(value);

            const auto code = codes::code::parse(text);

            const bool expected = allowed.find(text[position]) != allowed.npos;
            BOOST_TEST(code.has_value() == expected, "byte " << value << " at " << position);
        }
}

BOOST_AUTO_TEST_CASE(only_three_characters_can_be_requested)
{
    BOOST_TEST(codes::code::parse("404").has_value());

    for (const auto text : {""sv, "4"sv, "40"sv, "4040"sv, "404\n"sv, " 404"sv, "404\0"sv})
        BOOST_TEST(!codes::code::parse(text).has_value(), "'" << text << "' is taken for a code");
}

BOOST_AUTO_TEST_CASE(what_the_bridge_writes_is_what_the_server_finds)
{
    std::string wire;
    const texts asked = {"404", "200", "000", "zzz", "AbC", "404"};
    for (const auto& text : asked)
        codes::append_request(*codes::code::parse(text), wire);

    BOOST_TEST(codes_in(wire) == asked, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_code_needs_no_line_ending)
{
    codes::request_decoder decoder;
    auto bytes = "404"sv;

    const auto code = decoder.next(bytes);

    BOOST_TEST_REQUIRE(code.has_value());
    BOOST_TEST(*code == "404");
    BOOST_TEST(!decoder.finish().has_value());
}

BOOST_AUTO_TEST_CASE(the_next_code_begins_where_the_last_one_ended)
{
    codes::request_decoder decoder;
    auto bytes = "404200\n5"sv;

    BOOST_TEST(decoder.next(bytes).value() == "404");
    BOOST_TEST(bytes == "200\n5");
    BOOST_TEST(decoder.next(bytes).value() == "200");
    BOOST_TEST(bytes == "\n5");
    BOOST_TEST(!decoder.next(bytes).has_value());
    BOOST_TEST(bytes == "");
}

BOOST_AUTO_TEST_CASE(every_line_ending_ends_a_code)
{
    const texts expected = {"404", "200"};

    BOOST_TEST(codes_in("404\n200\n") == expected, boost::test_tools::per_element());
    BOOST_TEST(codes_in("404\r\n200\r\n") == expected, boost::test_tools::per_element());
    BOOST_TEST(codes_in("404\r200\r") == expected, boost::test_tools::per_element());
    BOOST_TEST(codes_in("404\n\r200\n\r") == expected, boost::test_tools::per_element());
    BOOST_TEST(codes_in("404200") == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(line_endings_between_codes_are_skipped)
{
    const texts expected = {"404", "200"};

    const auto found = codes_in("\n\r\n404\r\r\n\n\n200\n\n\r");

    BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(line_endings_alone_are_no_code)
{
    BOOST_TEST(codes_in("\r\n\n\r\r\n").empty());
    BOOST_TEST(codes_in("").empty());
}

BOOST_AUTO_TEST_CASE(a_line_ending_ends_a_shorter_code)
{
    const texts expected = {"4", "40", "404", "2", "20"};

    const auto found = codes_in("4\n40\n404\n2\r20\r\n");

    BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_code_ends_after_three_bytes_in_a_longer_line)
{
    const texts expected = {"404", "4", "200", "20"};

    const auto found = codes_in("4044\n20020\n");

    BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(any_byte_but_a_line_ending_belongs_to_a_code)
{
    for (int value = 0; value < 256; ++value) {
        if (value == '\r' || value == '\n')
            continue;
        const std::string odd(1, static_cast<char>(value));

        const auto found = codes_in(odd + "04" + "4" + odd + "4" + "40" + odd + odd + "\n");

        const texts expected = {odd + "04", "4" + odd + "4", "40" + odd, odd};
        BOOST_TEST(found == expected, "byte " << value);
    }
}

BOOST_AUTO_TEST_CASE(the_end_of_the_stream_ends_a_shorter_code)
{
    for (const auto begun : {"4"sv, "40"sv, "\0"sv}) {
        codes::request_decoder decoder;
        auto bytes = begun;
        BOOST_TEST(!decoder.next(bytes).has_value());

        const auto code = decoder.finish();

        BOOST_TEST_REQUIRE(code.has_value());
        BOOST_TEST(*code == begun);
        BOOST_TEST(!decoder.finish().has_value(), "the end came twice");
    }
}

BOOST_AUTO_TEST_CASE(the_end_of_the_stream_between_codes_is_no_code)
{
    for (const auto whole : {""sv, "404"sv, "404\n"sv, "404\r\n"sv, "4\n"sv}) {
        codes::request_decoder decoder;
        auto bytes = whole;
        while (decoder.next(bytes))
            ;

        BOOST_TEST(!decoder.finish().has_value(), "after '" << whole << "'");
    }
}

BOOST_AUTO_TEST_CASE(a_stream_in_two_pieces_has_the_same_codes_as_in_one)
{
    for (const auto stream : streams) {
        const auto expected = codes_in(stream);
        for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
            BOOST_TEST_CONTEXT("'" << stream << "' cut at " << cut)
            {
                const auto found = codes_in({stream.substr(0, cut), stream.substr(cut)});

                BOOST_TEST(found == expected, boost::test_tools::per_element());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_stream_byte_by_byte_has_the_same_codes_as_in_one_piece)
{
    for (const auto stream : streams) {
        BOOST_TEST_CONTEXT("'" << stream << "'")
        {
            const auto found = codes_in(bytes_of(stream));

            BOOST_TEST(found == codes_in(stream), boost::test_tools::per_element());
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
