// Messages and their bytes, worked out by hand from the standard, and at random.
#include "iso8583_kit.hpp"
#include "protocols/iso8583/built_in.hpp"
#include "protocols/iso8583/dialect.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>

namespace {

using namespace causeway::iso8583;
using namespace causeway::iso8583::test;
using namespace std::string_literals;
using namespace std::string_view_literals;

// Elements with neither padding nor a length that can be written in two ways, so that a message has only one form in
// bytes.
constexpr auto every_encoding = R"({"fields": {
    "0": {"type": "String", "length": 4, "enc": "BCD", "prefix": "BCD.Fixed"},
    "1": {"type": "Bitmap", "enc": "HexToASCII", "prefix": "Hex.Fixed"},
    "2": {"type": "Numeric", "length": 19, "enc": "BCD", "prefix": "BCD.LL"},
    "3": {"type": "Numeric", "length": 5, "enc": "LBCD", "prefix": "BCD.Fixed"},
    "4": {"type": "String", "length": 99, "enc": "EBCDIC", "prefix": "EBCDIC.LL"},
    "5": {"type": "String", "length": 200, "enc": "EBCDIC1047", "prefix": "Binary.L"},
    "6": {"type": "Binary", "length": 8, "enc": "Binary", "prefix": "Binary.Fixed"},
    "7": {"type": "Hex", "length": 300, "enc": "HexToASCII", "prefix": "Hex.LL"},
    "8": {"type": "String", "length": 300, "enc": "ASCIIToHex", "prefix": "ASCII.LLLL"},
    "9": {"type": "Track2", "length": 37, "enc": "BCD", "prefix": "ASCII.LL"},
    "10": {"type": "Track2", "length": 37, "enc": "LBCD", "prefix": "BCD.LL"},
    "11": {"type": "Numeric", "length": 9, "enc": "EBCDIC", "prefix": "EBCDIC.L"},
    "12": {"type": "Composite", "length": 70000, "prefix": "Binary.LLL", "tag": {"sort": "StringsByInt"}, "subfields": {
        "01": {"type": "Numeric", "length": 3, "enc": "BCD", "prefix": "BCD.Fixed"},
        "02": {"type": "Binary", "length": 99, "enc": "Binary", "prefix": "BCD.LLL"},
        "03": {"type": "Composite", "length": 9999, "prefix": "BCD.LLLL",
               "tag": {"length": 1, "enc": "ASCIIToHex", "sort": "StringsByHex"}, "subfields": {
            "07": {"type": "String", "length": 9, "enc": "ASCII", "prefix": "ASCII.L"},
            "56": {"type": "String", "length": 999, "enc": "ASCII", "prefix": "ASCII.LLLLL"}}},
        "04": {"type": "String", "length": 50, "enc": "ASCII", "prefix": "None.Fixed"}}},
    "65": {"type": "Composite", "length": 5, "prefix": "ASCII.Fixed", "subfields": {
        "1": {"type": "String", "length": 2, "enc": "ASCII", "prefix": "ASCII.Fixed"},
        "2": {"type": "Numeric", "length": 5, "enc": "BCD", "prefix": "BCD.Fixed"}}}
}})"sv;

std::string without_65(std::string_view file) { return std::string(file).replace(file.find("\"65\""), 4, "\"66\""); }

std::string bytes_of(const std::vector<unsigned>& numbers)
{
    std::string bytes;
    for (const auto number : numbers)
        bytes += static_cast<char>(number);
    return bytes;
}

// 0200 with 2, 3, 4, 7, 11, 41, 49 and, of 127, the switch key and a settlement date.
const auto purchase = R"({"mti":"0200","2":"4000001234567899","3":"000000","4":"000000001000","7":"1124164510",)"
                      R"("11":"000001","41":"TERM0001","49":"978","127":{"2":"SWITCHKEY","20":"20261124"}})"s;
const auto purchase_bytes = "0200" + bytes_of({0xF2, 0x20, 0, 0, 0, 0x80, 0x80, 0}) +
                            bytes_of({0, 0, 0, 0, 0, 0, 0, 0x02}) +
                            "164000001234567899"
                            "000000"
                            "000000001000"
                            "1124164510"
                            "000001"
                            "TERM0001"
                            "978"
                            "000027" +
                            bytes_of({0x40, 0, 0x10, 0, 0, 0, 0, 0}) + "09SWITCHKEY" + "20261124";

void check_round_trips(std::string_view file, unsigned seed)
{
    const auto dialect = dialect::parse(file, "test");
    const auto specification = parse_specification(file, "test");
    random_messages random(specification, seed);
    for (int round = 0; round != 2000; ++round) {
        const auto message = random.message();

        const auto bytes = dialect.pack(message);

        BOOST_TEST_REQUIRE(problem_of(bytes) == "", "seed " << seed << ", round " << round);
        const auto again = dialect.unpack(*bytes);
        BOOST_TEST_REQUIRE(problem_of(again) == "", "seed " << seed << ", round " << round);
        BOOST_TEST_REQUIRE(json_of(*again) == json_of(message), "seed " << seed << ", round " << round);
    }
}

void check_lengths(const dialect& dialect, const field_specification& field, random_messages& random,
                   const auto& message_around)
{
    constexpr std::size_t step_of_long_ones = 997;
    const auto shortest = random_messages::is_fixed(field) ? field.length : 0;
    for (auto length = shortest; length <= field.length; length += length < 1000 ? 1 : step_of_long_ones) {
        const auto message = message_around({.number = field.number, .text = random.text(field, length)});
        const auto bytes = dialect.pack(message);
        BOOST_TEST_REQUIRE(problem_of(bytes) == "");
        BOOST_TEST_REQUIRE((dialect.unpack(*bytes).value() == message), field.number << " of length " << length);
    }
    const auto too_long =
        dialect.pack(message_around({.number = field.number, .text = random.text(field, field.length + 1)}));
    BOOST_TEST(!too_long.has_value());
}

} // namespace

BOOST_AUTO_TEST_SUITE(iso8583_message)

BOOST_AUTO_TEST_CASE(a_message_in_ascii_is_the_digits_of_its_bitmaps_and_its_elements_in_their_order)
{
    const auto echo = R"({"mti":"0800","7":"1124164510","11":"000001","70":"301"})"s;
    const auto bytes = "0800"
                       "8220000000000000"
                       "0400000000000000"
                       "1124164510"
                       "000001"
                       "301"s;
    const auto dialect = dialect::built_in("iso8583-1987-ascii");

    BOOST_TEST(dialect.pack(message_of(echo)).value() == bytes);
    BOOST_TEST(json_of(dialect.unpack(bytes).value()) == echo);
}

BOOST_AUTO_TEST_CASE(without_elements_behind_64_there_is_no_second_bitmap)
{
    const auto dialect = dialect::built_in("iso8583-1987-ascii");

    BOOST_TEST(dialect.pack(message_of(R"({"mti":"0210","39":"00","64":"0123456789abcdef"})")).value() ==
               "0210"
               "0000000002000001"
               "00"
               "0123456789ABCDEF");
    BOOST_TEST(dialect.pack(message_of(R"({"mti":"0810"})")).value() == "08100000000000000000");
}

BOOST_AUTO_TEST_CASE(a_message_of_postilion_has_binary_bitmaps_and_one_more_in_127)
{
    const auto dialect = dialect::built_in("postilion");

    BOOST_TEST(dialect.pack(message_of(purchase)).value() == purchase_bytes);
    BOOST_TEST(json_of(dialect.unpack(purchase_bytes).value()) == purchase);
}

BOOST_AUTO_TEST_CASE(each_encoding_has_its_bytes)
{
    const auto dialect = dialect::parse(without_65(every_encoding), "test");
    const auto json =
        R"({"mti":"0200","2":"12345","3":"12345","4":"Az 9|","5":"[^]","6":"00FF10A000000001","7":"CAFE",)"
        R"("8":"CAFE","9":"4000=261","10":"40=26","11":"907",)"
        R"("12":{"1":"012","2":"BEEF","3":{"7":"x","56":"yz"},"4":"rest"},"66":{"1":"ab","2":"12345"}})"s;
    const auto bytes = bytes_of({0x02, 0x00}) + "FFF00000000000004000000000000000" +
                       bytes_of({0x05, 0x01, 0x23, 0x45}) +                          // 2: length 5, then 0 first
                       bytes_of({0x12, 0x34, 0x50}) +                                // 3: 0 last
                       bytes_of({0xF0, 0xF5, 0xC1, 0xA9, 0x40, 0xF9, 0x6A}) +        // 4
                       bytes_of({0x03, 0xAD, 0x5F, 0xBD}) +                          // 5
                       bytes_of({0x00, 0xFF, 0x10, 0xA0, 0x00, 0x00, 0x00, 0x01}) +  // 6
                       "0002" + "CAFE" +                                             // 7: the length counts bytes
                       "0002" + bytes_of({0xCA, 0xFE}) +                             // 8
                       "08" + bytes_of({0x40, 0x00, 0xD2, 0x61}) +                   // 9: = is D
                       bytes_of({0x05, 0x40, 0xD2, 0x60}) +                          // 10
                       bytes_of({0xF3, 0xF9, 0xF0, 0xF7}) +                          // 11
                       bytes_of({0, 0, 23}) +                                        // 12
                       bytes_of({0x00, 0x12}) + bytes_of({0x00, 0x02, 0xBE, 0xEF}) + // 12.1, 12.2
                       bytes_of({0x00, 0x11}) +
                       "\x07"
                       "1x" +
                       "\x56"
                       "00002yz" +
                       "rest" +                             // 12.3, 12.4
                       "ab" + bytes_of({0x01, 0x23, 0x45}); // 66
    BOOST_TEST(dialect.pack(message_of(json)).value() == bytes);
    BOOST_TEST(json_of(dialect.unpack(bytes).value()) == json);
}

BOOST_AUTO_TEST_CASE(a_bitmap_that_does_not_grow_has_a_bit_for_65)
{
    auto file = std::string(every_encoding);
    file.replace(file.find(R"("enc": "HexToASCII", "prefix": "Hex.Fixed")"), 5,
                 R"("length": 16, "disableAutoExpand": true, "enc")");
    const auto dialect = dialect::parse(file, "test");
    const auto json = R"({"mti":"0200","65":{"1":"ab","2":"12345"}})"s;

    const auto bytes = dialect.pack(message_of(json)).value();

    BOOST_TEST(bytes ==
               bytes_of({0x02, 0x00}) + "00000000000000008000000000000000" + "ab" + bytes_of({0x01, 0x23, 0x45}));
    BOOST_TEST(json_of(dialect.unpack(bytes).value()) == json);
}

BOOST_AUTO_TEST_CASE(random_messages_of_each_dialect_are_the_same_when_they_come_back)
{
    for (const auto& file : built_in_dialect_files())
        check_round_trips(file.text, 20261124);
    check_round_trips(without_65(every_encoding), 20261125);
}

BOOST_AUTO_TEST_CASE(elements_of_every_length_are_the_same_when_they_come_back_and_longer_ones_are_refused)
{
    for (const auto& file : built_in_dialect_files()) {
        const auto dialect = dialect::built_in(file.name);
        const auto specification = parse_specification(file.text, file.name);
        random_messages random(specification, 1);
        for (const auto& field : specification.elements.parts) {
            for (const auto& part : field.parts)
                check_lengths(dialect, part, random, [&](element inner) {
                    return message{.mti = "0200", .elements = {{.number = field.number, .parts = {std::move(inner)}}}};
                });
            if (!field.has_parts())
                check_lengths(dialect, field, random,
                              [](element element) { return message{.mti = "0200", .elements = {std::move(element)}}; });
        }
    }
}

BOOST_AUTO_TEST_CASE(a_message_that_ends_anywhere_before_its_end_names_the_element_that_is_cut_off)
{
    const auto dialect = dialect::built_in("postilion");
    // Where each element begins.
    const std::map<std::size_t, std::string> begins{{0, "mti: "}, {4, ""},      {20, "2: "},  {38, "3: "},
                                                    {44, "4: "},  {56, "7: "},  {66, "11: "}, {72, "41: "},
                                                    {80, "49: "}, {83, "127: "}};
    for (std::size_t size = 0; size != purchase_bytes.size(); ++size) {
        const auto expected = std::prev(begins.upper_bound(size))->second + "is cut off";

        BOOST_TEST(problem_of(dialect.unpack(purchase_bytes.substr(0, size))) == expected, "cut at " << size);
    }
}

BOOST_AUTO_TEST_CASE(every_cut_of_a_message_of_all_encodings_is_a_problem_and_so_is_a_byte_more)
{
    const auto file = without_65(every_encoding);
    const auto dialect = dialect::parse(file, "test");
    const auto specification = parse_specification(file, "test");
    random_messages random(specification, 7);
    for (int round = 0; round != 200; ++round) {
        const auto bytes = dialect.pack(random.message()).value();
        for (std::size_t size = 0; size < bytes.size(); size += bytes.size() < 400 ? 1 : 1 + random.up_to(100))
            BOOST_TEST_REQUIRE(!dialect.unpack(std::string_view(bytes).substr(0, size)).has_value(),
                               "round " << round << ", cut at " << size);
        BOOST_TEST(problem_of(dialect.unpack(bytes + '\0')) == "has 1 bytes after the last element");
    }
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_bytes_is_told_with_its_place_and_without_content)
{
    const auto dialect = dialect::built_in("postilion");
    const auto problem_with = [&](const std::vector<unsigned>& bitmap, std::string_view rest) {
        return problem_of(dialect.unpack("0200" + bytes_of(bitmap) + std::string(rest)));
    };
    const auto in_127 = [&](std::string_view inside) {
        return problem_with({0x80, 0, 0, 0, 0, 0, 0, 0}, bytes_of({0, 0, 0, 0, 0, 0, 0, 2}) + std::string(inside));
    };

    BOOST_TEST(problem_of(dialect.unpack("02x0")) == "mti: has something other than digits");
    BOOST_TEST(problem_with({0x40, 0, 0, 0, 0, 0, 0, 0}, "x4") == "2: has a length that is not a number");
    BOOST_TEST(problem_with({0x40, 0, 0, 0, 0, 0, 0, 0}, "20") == "2: is longer than the maximum of 19");
    BOOST_TEST(problem_with({0x40, 0, 0, 0, 0, 0, 0, 0}, "034 1") == "2: has something other than digits");
    BOOST_TEST(problem_with({0, 0, 0, 0, 0, 0, 0, 0x40}, "") == "58: is not known to this dialect");
    BOOST_TEST(problem_with({0x80, 0, 0, 0, 0, 0, 0, 0}, bytes_of({0x80, 0, 0, 0, 0, 0, 0, 0})) ==
               "65: would announce a third bitmap, which is not supported");
    BOOST_TEST(in_127("000003abc") == "127: is cut off");
    BOOST_TEST(in_127("000008" + bytes_of({0, 0, 0x20, 0, 0, 0, 0, 0})) == "127.19: is not known to this dialect");
    BOOST_TEST(in_127("000012" + bytes_of({0x40, 0, 0, 0, 0, 0, 0, 0}) + "05ab") == "127.2: is cut off");
    BOOST_TEST(in_127("000010" + bytes_of({0, 0, 0, 0, 0, 0, 0, 0}) + "ab") ==
               "127: has 2 bytes after the last element");
}

BOOST_AUTO_TEST_CASE(a_bitmap_of_something_other_than_digits_is_a_problem)
{
    const auto dialect = dialect::built_in("iso8583-1987-ascii");

    BOOST_TEST(problem_of(dialect.unpack("0800x000000000000000")) ==
               "has a bitmap of something other than hexadecimal digits");
    BOOST_TEST(problem_of(dialect.unpack("08000000000000000001zz00000000000000")) ==
               "64: has bytes that are not digits");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_message_is_told_with_the_element_and_without_content)
{
    const auto dialect = dialect::built_in("postilion");
    const auto problem_with = [&](std::string_view elements) {
        return problem_of(dialect.pack(message_of(R"({"mti":"0200",)" + std::string(elements) + "}")));
    };

    BOOST_TEST(problem_with(R"("2":"4000 12")") == "2: must have digits only");
    BOOST_TEST(problem_with(R"("2":"40000000000000000001")") == "2: must have at most 19 digits, but has 20");
    BOOST_TEST(problem_with(R"("4":"1000")") == "4: must have 12 digits, but has 4");
    BOOST_TEST(problem_with(R"("4":"")") == "4: must have 12 digits, but has 0");
    BOOST_TEST(problem_with(R"("4":"0000000010000")") == "4: must have 12 digits, but has 13");
    BOOST_TEST(problem_with(R"("41":"TERM1")") == "41: must have 8 characters, but has 5");
    BOOST_TEST(problem_with(R"("41":"TERM\t001")") == "41: must have printable ASCII characters only");
    BOOST_TEST(problem_with(R"("52":"0123")") == "52: must have 8 bytes, but has 2");
    BOOST_TEST(problem_with(R"("52":"0123456789abcde")") == "52: must have hexadecimal digits only, two for each byte");
    BOOST_TEST(problem_with(R"("52":"0123456789abcdeg")") ==
               "52: must have hexadecimal digits only, two for each byte");
    BOOST_TEST(problem_with(R"("58":"x")") == "58: is not known to this dialect");
    BOOST_TEST(problem_with(R"("2":{"1":"4000"})") == "2: must be text: in this dialect it has no parts");
    BOOST_TEST(problem_with(R"("127":"x")") == "127: must have parts: in this dialect it is not text");
    BOOST_TEST(problem_with(R"("127":{"1":"x"})") == "127.1: is not known to this dialect");
    BOOST_TEST(problem_with(R"("127":{"2":{"1":"x"}})") == "127.2: must be text: in this dialect it has no parts");
    BOOST_TEST(problem_with(R"("127":{"20":"x"})") == "127.20: must have digits only");
}

BOOST_AUTO_TEST_CASE(what_no_json_can_be_is_a_problem_too)
{
    const auto dialect = dialect::built_in("postilion");
    const element terminal{.number = 41, .text = "TERM0001"};
    const element trace{.number = 11, .text = "000001"};

    BOOST_TEST(problem_of(dialect.pack({.mti = "020", .elements = {}})) == "mti: must have 4 digits, but has 3");
    BOOST_TEST(problem_of(dialect.pack({.mti = "020x", .elements = {}})) == "mti: must have digits only");
    BOOST_TEST(problem_of(dialect.pack({.mti = "0200", .elements = {terminal, trace}})) ==
               "11: is repeated, or not in the order of the numbers");
    BOOST_TEST(problem_of(dialect.pack({.mti = "0200", .elements = {trace, trace}})) ==
               "11: is repeated, or not in the order of the numbers");
    BOOST_TEST(problem_of(dialect.pack({.mti = "0200", .elements = {{.number = 1, .text = "00"}}})) ==
               "1: is not known to this dialect");
    BOOST_TEST(problem_of(dialect.pack({.mti = "0200", .elements = {{.number = 129, .text = "00"}}})) ==
               "129: is not known to this dialect");
}

BOOST_AUTO_TEST_CASE(text_of_a_host_may_have_any_bytes)
{
    const auto dialect = dialect::built_in("postilion");

    const auto message = dialect.unpack("0210" + bytes_of({0, 0, 0, 0, 0, 0x80, 0, 0}) + "caf\xE9\0 \n\x7F"s).value();

    BOOST_TEST(*text_of(message, 41) == "caf\xE9\0 \n\x7F"s);
}

BOOST_AUTO_TEST_CASE(text_of_gives_text_and_nothing_for_an_element_with_parts_or_one_that_is_not_there)
{
    const auto message = message_of(R"({"mti":"0200","3":"000000","44":"","127":{"2":"x"}})");

    BOOST_TEST(*text_of(message, 3) == "000000");
    BOOST_TEST(*text_of(message, 44) == "");
    BOOST_TEST(text_of(message, 4) == nullptr);
    BOOST_TEST(text_of(message, 127) == nullptr);
}

BOOST_AUTO_TEST_CASE(the_value_of_a_problem_is_an_exception_with_field_and_words)
{
    const auto is_told = [](const std::invalid_argument& error) { return error.what() == "2: must have digits only"s; };

    BOOST_CHECK_EXCEPTION(dialect::built_in("postilion").pack(message_of(R"({"mti":"0200","2":"x"})")).value(),
                          std::invalid_argument, is_told);
}

BOOST_AUTO_TEST_SUITE_END()
