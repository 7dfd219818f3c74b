#include "protocols/codes/reply.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace codes = causeway::codes;
using codes::reply_decoder;
using namespace std::string_view_literals;

// The code that `line` names, or an empty text.
std::string named(std::string_view line)
{
    const auto code = codes::code_named_in(line);
    return code ? std::string(code->text()) : std::string();
}

// What a decoder made of a stream.
struct decoded {
    std::vector<std::string> lines;
    bool too_long = false;
};

// Reads as the bridge does: a piece, then its lines, until the end or a line that is too long. A piece that does not
// fit into the space is read in several steps.
class reader {
public:
    void read(std::string_view piece)
    {
        while (!piece.empty() && !result_.too_long) {
            const auto space = decoder_.space();
            BOOST_TEST_REQUIRE(!space.empty());
            const auto count = std::min(space.size(), piece.size());
            std::ranges::copy(piece.substr(0, count), space.begin());
            decoder_.received(count);
            piece.remove_prefix(count);
            while (const auto line = decoder_.next_line())
                result_.lines.emplace_back(*line);
            result_.too_long = decoder_.line_too_long();
        }
    }

    const decoded& result() const { return result_; }

private:
    reply_decoder decoder_;
    decoded result_;
};

decoded decode_in_pieces(std::string_view stream, std::size_t piece_size)
{
    reader reader;
    for (std::size_t at = 0; at < stream.size(); at += piece_size)
        reader.read(stream.substr(at, piece_size));
    return reader.result();
}

decoded decode_cut(std::string_view stream, std::size_t cut)
{
    reader reader;
    reader.read(stream.substr(0, cut));
    reader.read(stream.substr(cut));
    return reader.result();
}

decoded decode(std::string_view stream) { return decode_cut(stream, stream.size()); }

// A line of `size` bytes, its line feed included.
std::string line_of(std::size_t size) { return std::string(size - 1, 'x') + '\n'; }

// Places to cut a stream around a long line that starts at `begin`: near its ends, near the limit, and in between.
std::vector<std::size_t> cuts_around(std::size_t begin, std::size_t stream_size)
{
    std::vector<std::size_t> cuts;
    for (const std::size_t near : {begin, begin + 4096, begin + reply_decoder::longest_line, stream_size})
        for (std::size_t at = near < 3 ? 0 : near - 3; at <= near + 3 && at <= stream_size; ++at)
            cuts.push_back(at);
    return cuts;
}

constexpr std::size_t longest = reply_decoder::longest_line;
constexpr auto piece_sizes = std::to_array<std::size_t>({1, 2, 3, 1000, 4096, longest - 1, longest, longest + 1});

} // namespace

BOOST_AUTO_TEST_SUITE(reply)

BOOST_AUTO_TEST_CASE(both_forms_of_a_reply_name_their_code)
{
    BOOST_TEST(named("Code 404: Not found, used when the page is not there.\n") == "404");
    BOOST_TEST(named("I dont know about code \"xyz\" mate, sorry.\n") == "xyz");
}

BOOST_AUTO_TEST_CASE(the_quote_before_a_code_is_optional_in_either_form)
{
    BOOST_TEST(named("Code \"404\": Not found\n") == "404");
    BOOST_TEST(named("I dont know about code xyz mate\n") == "xyz");
}

BOOST_AUTO_TEST_CASE(the_word_may_be_written_in_any_case)
{
    for (const auto word : {"code", "Code", "CODE", "cODE", "CoDe"})
        BOOST_TEST(named(std::string(word) + " 404: Not found\n") == "404", word);
}

BOOST_AUTO_TEST_CASE(the_case_of_a_code_is_kept)
{
    BOOST_TEST(named("CODE aBc: what?\n") == "aBc");
    BOOST_TEST(named("code ABC: what?\n") == "ABC");
}

BOOST_AUTO_TEST_CASE(a_code_may_stand_at_the_end_of_the_line)
{
    BOOST_TEST(named("Code 404\n") == "404");
    BOOST_TEST(named("Code 404") == "404");
    BOOST_TEST(named("Code 404\r\n") == "404");
    BOOST_TEST(named("Code \"404\n") == "404");
}

BOOST_AUTO_TEST_CASE(a_part_of_a_longer_word_is_not_the_word)
{
    for (const auto line : {"Barcode 123", "codes 404", "code_ 404", "_code 404", "Code1 404", "1code 404",
                            "decoded 404", "codecode 404", "Xcode 404", "codeX 404"})
        BOOST_TEST(named(line) == "", line);
}

BOOST_AUTO_TEST_CASE(the_search_goes_on_behind_a_longer_word)
{
    BOOST_TEST(named("Barcode 123 has code 404\n") == "404");
    BOOST_TEST(named("codes 123, code 404\n") == "404");
    BOOST_TEST(named("code_ 123 code 404\n") == "404");
    BOOST_TEST(named("codecode 123 code 404\n") == "404");
    BOOST_TEST(named("cocode 123 cod code 404\n") == "404");
}

BOOST_AUTO_TEST_CASE(anything_that_is_no_part_of_a_word_may_stand_before_the_word)
{
    for (const auto before : {"", " ", "\t", "(", "\"", "-", "Error:", "the ", "\xff", "\r"})
        BOOST_TEST(named(std::string(before) + "code 404") == "404", "'" << before << "'");
}

BOOST_AUTO_TEST_CASE(the_first_word_counts)
{
    BOOST_TEST(named("Code 404: not to be confused with code 200\n") == "404");
    BOOST_TEST(named("Code: 404 is the code 200 lacks\n") == "");
    BOOST_TEST(named("code code 404\n") == "cod");
    BOOST_TEST(named("a code has three characters, code 404 for example\n") == "has");
}

BOOST_AUTO_TEST_CASE(exactly_one_space_follows_the_word)
{
    for (const auto line : {"Code  404", "Code404", "Code\t404", "Code:404", "Code\"404\"", "Code\n404", "Code \t404",
                            "Code-404", "Code  \"404\""})
        BOOST_TEST(named(line) == "", line);
}

BOOST_AUTO_TEST_CASE(at_most_one_quote_precedes_the_code)
{
    for (const auto line : {"Code \"\"404\"\"", "Code '404'", "Code \" 404\"", "Code (404)"})
        BOOST_TEST(named(line) == "", line);
}

BOOST_AUTO_TEST_CASE(a_shorter_code_is_none)
{
    for (const auto line : {"Code 4", "Code 40", "Code 40\n", "Code 4: unknown", "Code 40: unknown",
                            "Code \"40\" unknown", "Code \"40", "Code \"", "Code ", "Code", "Code\n", "Code \n"})
        BOOST_TEST(named(line) == "", line);
}

BOOST_AUTO_TEST_CASE(a_code_with_an_odd_character_is_none)
{
    for (const auto line : {"Code 4-4: unknown", "Code ???: unknown", "Code 40\xe9", "Code 4 4", "Code 4\n4"})
        BOOST_TEST(named(line) == "", line);
}

BOOST_AUTO_TEST_CASE(the_three_characters_count_whatever_follows_them)
{
    for (const auto after : {"", ":", "\"", " ", "4", "x", "\n", "\xff"})
        BOOST_TEST(named(std::string("Code 404") + after) == "404", "'" << after << "'");
}

BOOST_AUTO_TEST_CASE(a_line_without_the_word_names_no_code)
{
    for (const auto line :
         {""sv, "\n"sv, "404"sv, "404 Not Found\n"sv, "c o d e 404"sv, "cod 404"sv, "cod"sv, "\0\0\0"sv})
        BOOST_TEST(named(line) == "", line);
}

BOOST_AUTO_TEST_CASE(a_line_comes_out_with_its_line_feed)
{
    const auto [lines, too_long] = decode("Code 404: Not Found\n");

    BOOST_TEST_REQUIRE(lines.size() == 1U);
    BOOST_TEST(lines.front() == "Code 404: Not Found\n");
    BOOST_TEST(!too_long);
}

BOOST_AUTO_TEST_CASE(several_lines_in_one_read_come_out_in_order)
{
    reply_decoder decoder;
    std::ranges::copy("one\ntwo\n\nthree\nfo"sv, decoder.space().begin());
    decoder.received(17);

    BOOST_TEST(decoder.next_line().value() == "one\n");
    BOOST_TEST(decoder.next_line().value() == "two\n");
    BOOST_TEST(decoder.next_line().value() == "\n");
    BOOST_TEST(decoder.next_line().value() == "three\n");
    BOOST_TEST(!decoder.next_line().has_value());
    BOOST_TEST(!decoder.line_too_long());
}

BOOST_AUTO_TEST_CASE(the_lines_of_one_read_are_all_valid_until_the_next)
{
    reply_decoder decoder;
    std::ranges::copy("one\ntwo\nthree\n"sv, decoder.space().begin());
    decoder.received(14);

    const auto one = decoder.next_line().value();
    const auto two = decoder.next_line().value();
    const auto three = decoder.next_line().value();

    BOOST_TEST(one == "one\n");
    BOOST_TEST(two == "two\n");
    BOOST_TEST(three == "three\n");
}

BOOST_AUTO_TEST_CASE(a_decoder_that_got_nothing_has_no_line)
{
    reply_decoder decoder;

    BOOST_TEST(!decoder.next_line().has_value());
    BOOST_TEST(!decoder.line_too_long());

    BOOST_TEST(!decoder.space().empty());
    decoder.received(0);

    BOOST_TEST(!decoder.next_line().has_value());
    BOOST_TEST(!decoder.line_too_long());
}

constexpr auto short_streams = std::to_array<std::string_view>({
    "Code 404: Not Found, used when it is not there.\nCode 200: OK, used when it is.\n"sv,
    "\n\nCode 404\n\nCode 200\n\n"sv,
    "Code 404\r\nCode 200\r\nCode 5"sv,
    "a\nbc\ndef\n"sv,
    "no line feed at all"sv,
    "\0\xff\n\0\n"sv,
    "\n"sv,
    ""sv,
});

BOOST_AUTO_TEST_CASE(a_stream_in_two_pieces_has_the_same_lines_as_in_one)
{
    for (const auto stream : short_streams) {
        const auto expected = decode(stream);
        for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
            BOOST_TEST_CONTEXT("'" << stream << "' cut at " << cut)
            {
                const auto found = decode_cut(stream, cut);

                BOOST_TEST(found.lines == expected.lines, boost::test_tools::per_element());
                BOOST_TEST(!found.too_long);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_stream_byte_by_byte_has_the_same_lines_as_in_one_piece)
{
    for (const auto stream : short_streams) {
        BOOST_TEST_CONTEXT("'" << stream << "'")
        {
            const auto found = decode_in_pieces(stream, 1);

            BOOST_TEST(found.lines == decode(stream).lines, boost::test_tools::per_element());
            BOOST_TEST(!found.too_long);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_lines_are_the_stream_but_for_an_unfinished_one)
{
    for (const auto stream : short_streams) {
        std::string joined;
        for (const auto& line : decode(stream).lines) {
            BOOST_TEST(std::ranges::count(line, '\n') == 1, line);
            BOOST_TEST(line.ends_with('\n'), line);
            joined += line;
        }

        BOOST_TEST(joined == stream.substr(0, stream.rfind('\n') + 1));
    }
}

BOOST_AUTO_TEST_CASE(much_more_than_the_buffer_holds_comes_through_in_any_pieces)
{
    std::string stream;
    std::vector<std::string> expected;
    for (std::size_t size = 1; stream.size() < 8 * longest; size = size * 7 % 10007) {
        expected.push_back(std::to_string(size) + line_of(size));
        stream += expected.back();
    }

    for (const auto piece_size : piece_sizes) {
        const auto [lines, too_long] = decode_in_pieces(stream, piece_size);

        BOOST_TEST((lines == expected), "in pieces of " << piece_size);
        BOOST_TEST(!too_long, "in pieces of " << piece_size);
    }
}

BOOST_AUTO_TEST_CASE(the_longest_line_is_64_kib_with_its_line_feed) { BOOST_TEST(longest == 65536U); }

BOOST_AUTO_TEST_CASE(the_longest_line_comes_out_however_it_is_split)
{
    const std::string before = "before\n";
    const auto stream = before + line_of(longest) + "after\n";
    const std::vector<std::string> expected = {before, line_of(longest), "after\n"};

    for (const auto cut : cuts_around(before.size(), stream.size())) {
        const auto [lines, too_long] = decode_cut(stream, cut);

        BOOST_TEST((lines == expected), "cut at " << cut);
        BOOST_TEST(!too_long, "cut at " << cut);
    }
    for (const auto piece_size : piece_sizes) {
        const auto [lines, too_long] = decode_in_pieces(stream, piece_size);

        BOOST_TEST((lines == expected), "in pieces of " << piece_size);
        BOOST_TEST(!too_long, "in pieces of " << piece_size);
    }
}

BOOST_AUTO_TEST_CASE(a_line_one_byte_longer_is_too_long_however_it_is_split)
{
    const std::string before = "before\n";
    const auto stream = before + line_of(longest + 1) + "after\n";

    for (const auto cut : cuts_around(before.size(), stream.size())) {
        const auto [lines, too_long] = decode_cut(stream, cut);

        BOOST_TEST((lines == std::vector{before}), "cut at " << cut);
        BOOST_TEST(too_long, "cut at " << cut);
    }
    for (const auto piece_size : piece_sizes) {
        const auto [lines, too_long] = decode_in_pieces(stream, piece_size);

        BOOST_TEST((lines == std::vector{before}), "in pieces of " << piece_size);
        BOOST_TEST(too_long, "in pieces of " << piece_size);
    }
}

BOOST_AUTO_TEST_CASE(a_line_is_too_long_before_its_end_has_come)
{
    for (const auto piece_size : piece_sizes) {
        BOOST_TEST(!decode_in_pieces(std::string(longest - 1, 'x'), piece_size).too_long, "pieces of " << piece_size);
        BOOST_TEST(decode_in_pieces(std::string(longest, 'x'), piece_size).too_long, "pieces of " << piece_size);
    }
}

BOOST_AUTO_TEST_CASE(the_lines_before_one_that_is_too_long_are_still_given)
{
    const auto stream = "one\ntwo\n" + line_of(longest + 1) + "three\n";
    const std::vector<std::string> expected = {"one\n", "two\n"};

    for (const auto piece_size : piece_sizes) {
        const auto [lines, too_long] = decode_in_pieces(stream, piece_size);

        BOOST_TEST((lines == expected), "in pieces of " << piece_size);
        BOOST_TEST(too_long, "in pieces of " << piece_size);
    }
}

BOOST_AUTO_TEST_CASE(a_line_that_is_too_long_stays_so_however_often_one_asks)
{
    reply_decoder decoder;
    const auto stream = line_of(longest + 1) + "after\n";
    const auto space = decoder.space();
    BOOST_TEST_REQUIRE(space.size() >= stream.size());
    std::ranges::copy(stream, space.begin());
    decoder.received(stream.size());

    for (int times = 0; times < 3; ++times) {
        BOOST_TEST(!decoder.next_line().has_value());
        BOOST_TEST(decoder.line_too_long());
    }
}

BOOST_AUTO_TEST_CASE(a_stream_that_never_ends_its_line_is_given_up_after_64_kib)
{
    for (const auto piece_size : piece_sizes) {
        reader reader;
        const std::string piece(piece_size, 'x');
        std::size_t sent = 0;
        while (!reader.result().too_long && sent < 4 * longest) {
            reader.read(piece);
            sent += piece_size;
        }

        BOOST_TEST(reader.result().too_long, "in pieces of " << piece_size);
        BOOST_TEST(reader.result().lines.empty(), "in pieces of " << piece_size);
        BOOST_TEST(sent >= longest, "in pieces of " << piece_size << " already after " << sent << " bytes");
        BOOST_TEST(sent < longest + piece_size, "in pieces of " << piece_size << " only after " << sent << " bytes");
    }
}

BOOST_AUTO_TEST_SUITE_END()
