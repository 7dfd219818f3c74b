#include "protocols/iso8583/frame.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::iso8583 {

std::ostream& operator<<(std::ostream& output, const framing& framing)
{
    return output << "form " << static_cast<int>(framing.form) << ", header of " << framing.header.size()
                  << (framing.includes_itself ? ", includes itself" : "");
}

} // namespace causeway::iso8583

namespace {

namespace iso = causeway::iso8583;
using iso::frame_reader;
using iso::framing;
using iso::length_form;
using namespace std::string_literals;
using namespace std::string_view_literals;

const std::vector<framing> all_framings = [] {
    std::vector<framing> framings;
    for (const auto form : {length_form::binary2, length_form::binary4, length_form::ascii4, length_form::bcd2})
        for (const auto& header : {""s, "\x60\x00\x01\x00\x00"s})
            for (const bool includes_itself : {false, true})
                framings.push_back({.form = form, .header = header, .includes_itself = includes_itself});
    return framings;
}();

// What a reader made of a stream.
struct read {
    std::vector<std::string> messages;
    std::string broken;

    friend bool operator==(const read&, const read&) = default;
};

read read_in_pieces(const framing& framing, std::string_view stream, std::size_t piece_size)
{
    frame_reader reader(framing);
    read result;
    while (!stream.empty() && reader.broken().empty()) {
        const auto space = reader.space();
        BOOST_TEST_REQUIRE(!space.empty());
        const auto piece = stream.substr(0, std::min(space.size(), piece_size));
        std::ranges::copy(piece, space.begin());
        reader.received(piece.size());
        stream.remove_prefix(piece.size());
        while (const auto message = reader.next())
            result.messages.emplace_back(*message);
    }
    result.broken = reader.broken();
    return result;
}

read read_whole(const framing& framing, std::string_view stream)
{
    return read_in_pieces(framing, stream, stream.size());
}

std::string frame(std::string_view message, const framing& framing)
{
    std::string wire;
    append_frame(message, framing, wire);
    return wire;
}

void check_broken(const framing& framing, std::string_view stream, std::string_view reason)
{
    const auto found = read_whole(framing, stream);

    BOOST_TEST(found.messages.empty());
    BOOST_TEST(found.broken == reason);
    BOOST_TEST((read_in_pieces(framing, stream, 1) == found));
}

constexpr auto no_digit = "the length of a message has a character that is not a digit"sv;
constexpr auto too_short = "the length of a message is shorter than what it has to include"sv;
constexpr auto too_long = "a message is longer than 64 KiB"sv;
constexpr auto another_header = "a message has a different header"sv;

} // namespace

BOOST_AUTO_TEST_SUITE(iso8583_frame)

BOOST_AUTO_TEST_CASE(a_length_is_written_as_its_form_says)
{
    const std::string message(300, 'x');

    BOOST_TEST(frame(message, {.form = length_form::binary2}) == "\x01\x2c"s + message);
    BOOST_TEST(frame(message, {.form = length_form::binary4}) == "\0\0\x01\x2c"s + message);
    BOOST_TEST(frame(message, {.form = length_form::ascii4}) == "0300"s + message);
    BOOST_TEST(frame(message, {.form = length_form::bcd2}) == "\x03\x00"s + message);
}

BOOST_AUTO_TEST_CASE(a_length_counts_the_header_and_itself_where_it_includes_itself)
{
    BOOST_TEST(frame("0800", {.form = length_form::ascii4, .header = "ISO"}) == "0007ISO0800");
    BOOST_TEST(frame("0800", {.form = length_form::ascii4, .header = "ISO", .includes_itself = true}) == "0011ISO0800");
    BOOST_TEST(frame("0800", {.form = length_form::bcd2, .header = "ISO", .includes_itself = true}) ==
               "\0\x09ISO0800"s);
}

BOOST_DATA_TEST_CASE(what_was_framed_is_read_however_the_stream_is_cut, all_framings, framing)
{
    const std::vector<std::string> messages{"0800", std::string(255, 'a'), std::string(1, '\0'),
                                            std::string(1234, 'b')};
    std::string stream;
    for (const auto& message : messages)
        append_frame(message, framing, stream);

    for (std::size_t piece_size = 1; piece_size <= stream.size(); ++piece_size) {
        const auto found = read_in_pieces(framing, stream, piece_size);

        BOOST_TEST((found.messages == messages), "in pieces of " << piece_size);
        BOOST_TEST(found.broken == "");
    }
}

BOOST_DATA_TEST_CASE(the_longest_message_of_a_framing_can_be_read, all_framings, framing)
{
    const std::string longest(longest_in(framing), 'x');

    const auto found = read_in_pieces(framing, frame(longest, framing) + frame("0800", framing), 1000);

    BOOST_TEST((found.messages == std::vector<std::string>{longest, "0800"}));
}

BOOST_AUTO_TEST_CASE(the_longest_message_is_64_KiB_or_what_the_length_can_say)
{
    BOOST_TEST(iso::longest_in({.form = length_form::binary4, .header = "12345", .includes_itself = true}) == 65'536U);
    BOOST_TEST(iso::longest_in({.form = length_form::binary2}) == 65'535U);
    BOOST_TEST(iso::longest_in({.form = length_form::binary2, .header = "12345", .includes_itself = true}) == 65'528U);
    BOOST_TEST(iso::longest_in({.form = length_form::ascii4, .header = "12345", .includes_itself = true}) == 9'990U);
    BOOST_TEST(iso::longest_in({.form = length_form::bcd2, .header = "12345", .includes_itself = true}) == 9'992U);
    BOOST_TEST(iso::longest_in({.form = length_form::bcd2, .header = std::string(10'000, 'x')}) == 0U);
}

BOOST_DATA_TEST_CASE(a_keep_alive_is_skipped, all_framings, framing)
{
    auto keep_alive = frame("", {.form = framing.form});
    auto stream = keep_alive + frame("0800", framing) + keep_alive + keep_alive + frame("0810", framing) + keep_alive;
    stream += frame("", {.form = framing.form, .includes_itself = framing.includes_itself}); // the same in another way

    const auto found = read_whole(framing, stream);

    BOOST_TEST((found.messages == std::vector<std::string>{"0800", "0810"}));
    BOOST_TEST((read_in_pieces(framing, stream, 1) == found));
}

BOOST_AUTO_TEST_CASE(a_digit_that_is_none_breaks_the_stream)
{
    check_broken({.form = length_form::ascii4}, "004x", no_digit);
    check_broken({.form = length_form::ascii4}, "00:4", no_digit);
    check_broken({.form = length_form::ascii4}, "00/4", no_digit);
    check_broken({.form = length_form::bcd2}, "\x00\x1a"sv, no_digit);
    check_broken({.form = length_form::bcd2}, "\xa1\x00"sv, no_digit);
}

BOOST_AUTO_TEST_CASE(a_length_that_is_too_short_breaks_the_stream)
{
    check_broken({.form = length_form::ascii4, .header = "ISO"}, "0002IS", too_short);
    check_broken({.form = length_form::ascii4, .includes_itself = true}, "0003", too_short);
    check_broken({.form = length_form::ascii4, .header = "ISO", .includes_itself = true}, "0006IS", too_short);
}

BOOST_AUTO_TEST_CASE(a_header_may_have_no_message_behind_it)
{
    const auto found = read_whole({.header = "ISO"}, "\x00\x03ISO\x00\x04ISOx"s);

    BOOST_TEST((found.messages == std::vector<std::string>{"", "x"}));
    BOOST_TEST(found.broken == "");
}

BOOST_AUTO_TEST_CASE(a_length_over_64_KiB_breaks_the_stream_before_the_message_comes)
{
    check_broken({.form = length_form::binary4}, "\x00\x01\x00\x01"sv, too_long);
    check_broken({.form = length_form::binary4, .header = "ISO", .includes_itself = true}, "\x00\x01\x00\x08"sv,
                 too_long);
    check_broken({.form = length_form::binary4, .includes_itself = true}, "\xff\xff\xff\xff"sv, too_long);
}

BOOST_AUTO_TEST_CASE(another_header_breaks_the_stream_before_the_message_comes)
{
    check_broken({.form = length_form::ascii4, .header = "ISO"}, "0100IS0", another_header);
    check_broken({.form = length_form::ascii4, .header = "ISO"}, "0100i", another_header);
}

BOOST_AUTO_TEST_CASE(messages_before_the_break_are_read)
{
    const auto found = read_whole({.form = length_form::ascii4}, "00040800000408100?000004");

    BOOST_TEST((found.messages == std::vector<std::string>{"0800", "0810"}));
    BOOST_TEST(found.broken == no_digit);
}

BOOST_AUTO_TEST_CASE(what_has_come_of_a_frame_is_counted)
{
    frame_reader reader({.form = length_form::ascii4});
    BOOST_TEST(reader.unfinished() == 0U);
    std::ranges::copy("0004080"sv, reader.space().begin());
    reader.received(7);

    BOOST_TEST(!reader.next().has_value());
    BOOST_TEST(reader.unfinished() == 7U);
}

BOOST_AUTO_TEST_SUITE_END()
