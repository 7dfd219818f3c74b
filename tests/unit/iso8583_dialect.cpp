// Dialect files: what they mean, and what is wrong with them, with its line.
#include "../temporary.hpp"
#include "iso8583_kit.hpp"
#include "protocols/iso8583/built_in.hpp"
#include "protocols/iso8583/dialect.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

namespace {

using namespace causeway::iso8583;
using namespace causeway::iso8583::test;
using namespace std::string_literals;

std::string error_of(std::string_view file)
{
    try {
        dialect::parse(file, "file");
        return {};
    } catch (const dialect::error& error) {
        return error.what();
    }
}

// The error for a file whose fields begin in line 4.
std::string error_with(std::string_view fields) { return error_of(dialect_with(fields)); }

// The error for a field 2 with these members, after its type, its encoding and its length.
std::string error_in_field(std::string_view members)
{
    return error_with(R"("2": {"type": "String", "enc": "ASCII", "length": 10,)"
                      "\n" +
                      std::string(members) + "}");
}

dialect with_field(std::string_view field)
{
    return dialect::parse(dialect_with("\"2\": " + std::string(field)), "file");
}

// The text of field 2 after packing and unpacking.
std::string round_trip(const dialect& dialect, std::string text)
{
    const auto bytes = dialect.pack({.mti = "0200", .elements = {{.number = 2, .text = std::move(text)}}}).value();
    return *text_of(dialect.unpack(bytes).value(), 2);
}

// Field 2 on the wire, after type and bitmap.
std::string packed(const dialect& dialect, std::string_view value)
{
    return dialect.pack(message_of(R"({"mti":"0200","2":)" + std::string(value) + "}")).value().substr(12);
}

constexpr auto bitmap_of_2 = "0200\x40\0\0\0\0\0\0\0";

std::string unpacked(const dialect& dialect, std::string_view bytes)
{
    const auto message = dialect.unpack(std::string(bitmap_of_2, 12) + std::string(bytes));
    return message ? json_of(*message) : problem_of(message);
}

std::string unpacked_problem(const dialect& dialect, std::string_view value)
{
    return problem_of(dialect.pack(message_of(R"({"mti":"0200","2":)" + std::string(value) + "}")));
}

} // namespace

BOOST_AUTO_TEST_SUITE(iso8583_dialect)

BOOST_AUTO_TEST_CASE(those_that_come_with_the_program_can_be_read_and_others_are_told_their_names)
{
    const auto is_told = [](const dialect::error& error) {
        return error.what() == "there is no dialect visa; the built-in ones are iso8583-1987-ascii, postilion"s;
    };

    BOOST_TEST(built_in_dialect_files().size() == 2U);
    for (const auto& file : built_in_dialect_files())
        dialect::built_in(file.name);
    BOOST_CHECK_EXCEPTION(dialect::built_in("visa"), dialect::error, is_told);
}

BOOST_AUTO_TEST_CASE(the_one_of_1987_has_all_elements_but_the_third_bitmap)
{
    const auto& file = built_in_dialect_files().front();
    const auto elements = parse_specification(file.text, file.name).elements;

    BOOST_TEST(elements.parts.size() == 126U);
    BOOST_TEST(elements.part(65) == nullptr);
}

BOOST_AUTO_TEST_CASE(zeros_on_the_left_may_be_left_out_and_are_there_when_it_comes_back)
{
    for (const auto* const type : {"Numeric", "String"}) {
        const auto dialect = with_field(R"({"type": ")" + std::string(type) +
                                        R"(", "length": 12, "enc": "ASCII", "prefix": "ASCII.Fixed",
                                           "padding": {"type": "Left", "pad": "0"}})");

        BOOST_TEST(round_trip(dialect, "000000001000") == "000000001000");
        BOOST_TEST(round_trip(dialect, "1000") == "000000001000");
        BOOST_TEST(round_trip(dialect, "") == "000000000000");
    }
}

BOOST_AUTO_TEST_CASE(other_padding_may_be_left_out_and_is_not_there_when_it_comes_back)
{
    const auto right = with_field(R"({"type": "String", "length": 6, "enc": "EBCDIC", "prefix": "EBCDIC.Fixed",
                                      "padding": {"type": "Right", "pad": " "}})");
    const auto left = with_field(R"({"type": "String", "length": 6, "enc": "ASCII", "prefix": "ASCII.Fixed",
                                     "padding": {"type": "Left", "pad": "*"}})");
    const auto none = with_field(R"({"type": "String", "length": 6, "enc": "ASCII", "prefix": "ASCII.Fixed",
                                     "padding": {"type": "None"}})");

    BOOST_TEST(packed(right, R"("ab")") == "\x81\x82\x40\x40\x40\x40");
    BOOST_TEST(round_trip(right, " a b") == " a b");
    BOOST_TEST(round_trip(right, "a b   ") == "a b");
    BOOST_TEST(round_trip(right, "") == "");
    BOOST_TEST(packed(left, R"("ab")") == "****ab");
    BOOST_TEST(round_trip(left, "a*") == "a*");
    BOOST_TEST(unpacked_problem(right, R"("1234567")") == "2: must have at most 6 characters, but has 7");
    BOOST_TEST(unpacked_problem(none, R"("ab")") == "2: must have 6 characters, but has 2");
}

BOOST_AUTO_TEST_CASE(a_prefix_counts_characters_or_bytes_in_each_of_its_forms)
{
    const auto counted = [](const std::string& prefix) {
        const auto dialect =
            with_field(R"({"type": "Binary", "length": 9, "enc": "Binary", "prefix": ")" + prefix + "\"}");
        BOOST_TEST(round_trip(dialect, "0102030405") == "0102030405");
        const auto bytes = packed(dialect, R"("")");
        return bytes;
    };

    BOOST_TEST(counted("ASCII.L") == "0");
    BOOST_TEST(counted("ASCII.LLLLLL") == "000000");
    BOOST_TEST(counted("EBCDIC.LL") == "\xF0\xF0");
    BOOST_TEST(counted("BCD.L") == "\0"s);
    BOOST_TEST(counted("BCD.LLL") == "\0\0"s);
    BOOST_TEST(counted("Hex.L") == "00");
    BOOST_TEST(counted("Hex.LL") == "0000");
    BOOST_TEST(counted("Binary.L") == "\0"s);
    BOOST_TEST(counted("Binary.LLLL") == "\0\0\0\0"s);
}

BOOST_AUTO_TEST_CASE(a_prefix_that_stands_for_no_length_or_a_longer_one_is_a_problem)
{
    const auto problem = [](const std::string& prefix, std::string_view bytes) {
        return unpacked(with_field(R"({"type": "String", "length": 9, "enc": "ASCII", "prefix": ")" + prefix + "\"}"),
                        bytes);
    };

    BOOST_TEST(problem("ASCII.LL", "-1x") == "2: has a length that is not a number");
    BOOST_TEST(problem("ASCII.LL", " 1x") == "2: has a length that is not a number");
    BOOST_TEST(problem("ASCII.LL", "1xx") == "2: has a length that is not a number");
    BOOST_TEST(problem("EBCDIC.LL", "01x") == "2: has a length that is not a number");
    BOOST_TEST(problem("BCD.LL", "\x0Ax") == "2: has a length that is not a number");
    BOOST_TEST(problem("Hex.L", "0gx") == "2: has a length that is not a number");
    BOOST_TEST(problem("Binary.LLLL", "\xFF\xFF\xFF\xFF") == "2: is longer than the maximum of 9");
    BOOST_TEST(problem("ASCII.LL", "10") == "2: is longer than the maximum of 9");
    BOOST_TEST(problem("ASCII.LL", "0") == "2: is cut off");
}

BOOST_AUTO_TEST_CASE(a_string_in_hexadecimal_digits_has_them_as_text)
{
    // As moov's own specifications have it for the data of a personal identification number.
    const auto dialect = with_field(R"({"type": "String", "length": 8, "enc": "HexToASCII", "prefix": "Hex.Fixed"})");

    BOOST_TEST(packed(dialect, R"("00112233aabbccdd")") == "00112233AABBCCDD");
    BOOST_TEST(unpacked(dialect, "00112233aabbccdd") == R"({"mti":"0200","2":"00112233AABBCCDD"})");
}

BOOST_AUTO_TEST_CASE(digits_are_digits_when_they_come_too)
{
    const auto bcd = with_field(R"({"type": "String", "length": 4, "enc": "BCD", "prefix": "BCD.Fixed"})");
    const auto odd = with_field(R"({"type": "Numeric", "length": 3, "enc": "BCD", "prefix": "BCD.Fixed"})");
    const auto left = with_field(R"({"type": "Numeric", "length": 3, "enc": "LBCD", "prefix": "BCD.Fixed"})");
    const auto track = with_field(R"({"type": "Track2", "length": 4, "enc": "BCD", "prefix": "BCD.Fixed"})");

    BOOST_TEST(unpacked(bcd, "\x12\x3A") == "2: has bytes that are not digits");
    BOOST_TEST(unpacked(bcd, "\x12\xD3") == "2: has something other than digits");
    BOOST_TEST(unpacked(track, "\x12\xD3") == R"({"mti":"0200","2":"12=3"})");
    BOOST_TEST(unpacked_problem(track, R"("12D3")") == "2: must have digits only, and = between them");
    // The unused half may be anything.
    BOOST_TEST(unpacked(odd, "\xF1\x23") == R"({"mti":"0200","2":"123"})");
    BOOST_TEST(unpacked(left, "\x12\x3F") == R"({"mti":"0200","2":"123"})");
}

BOOST_AUTO_TEST_CASE(subfields_in_a_row_have_no_gap)
{
    const auto variable = with_field(R"({"type": "Composite", "length": 6, "prefix": "ASCII.LL", "subfields": {
        "1": {"type": "String", "length": 2, "enc": "ASCII", "prefix": "ASCII.Fixed"},
        "2": {"type": "String", "length": 2, "enc": "ASCII", "prefix": "ASCII.Fixed"},
        "10": {"type": "String", "length": 9, "enc": "ASCII", "prefix": "ASCII.L"}}})");
    const auto fixed = with_field(R"({"type": "Composite", "length": 4, "prefix": "ASCII.Fixed", "subfields": {
        "1": {"type": "String", "length": 2, "enc": "ASCII", "prefix": "ASCII.Fixed"},
        "2": {"type": "String", "length": 2, "enc": "ASCII", "prefix": "ASCII.Fixed"}}})");

    BOOST_TEST(packed(variable, R"({"1":"ab","2":"cd","10":"e"})") == "06abcd1e");
    BOOST_TEST(packed(variable, R"({"1":"ab"})") == "02ab");
    BOOST_TEST(unpacked(variable, "02ab") == R"({"mti":"0200","2":{"1":"ab"}})");
    BOOST_TEST(unpacked_problem(variable, R"({"1":"ab","10":"e"})") ==
               "2.2: is missing, although a later part is present");
    BOOST_TEST(unpacked_problem(variable, R"({"1":"ab","2":"cd","10":"ef"})") ==
               "2: must have at most 6 bytes, but has 7");
    BOOST_TEST(unpacked(variable, "03abc") == "2.2: is cut off");
    BOOST_TEST(unpacked(variable, "06abcd0x") == "2: has 1 bytes after the last element");
    BOOST_TEST(unpacked_problem(fixed, R"({"1":"ab"})") == "2: must have 4 bytes, but has 2");
    BOOST_TEST(unpacked_problem(fixed, R"({})") == "2: must have 4 bytes, but has 0");
}

BOOST_AUTO_TEST_CASE(tagged_subfields_may_come_in_any_order_and_leave_in_that_of_their_numbers)
{
    const auto dialect = with_field(R"({"type": "Composite", "length": 99, "prefix": "ASCII.LL",
        "tag": {"length": 3, "enc": "ASCII", "sort": "StringsByInt", "padding": {"type": "Left", "pad": "0"}}, "subfields": {
        "7": {"type": "String", "length": 9, "enc": "ASCII", "prefix": "ASCII.L"},
        "011": {"type": "String", "length": 9, "enc": "ASCII", "prefix": "ASCII.L"}}})");

    BOOST_TEST(packed(dialect, R"({"11":"b","7":"a"})") == "100071a0111b");
    BOOST_TEST(unpacked(dialect, "100111b0071a") == R"({"mti":"0200","2":{"7":"a","11":"b"}})");
    BOOST_TEST(unpacked(dialect, "100071a0071a") == "2.7: is repeated");
    BOOST_TEST(unpacked(dialect, "050081a") == "2: has a part that is not known to this dialect");
    BOOST_TEST(unpacked(dialect, "05x071a") == "2: has a tag that is not a number");
    BOOST_TEST(unpacked(dialect, "0200") == "2: is cut off in a tag");
    BOOST_TEST(unpacked(dialect, "050072a") == "2.7: is cut off");
    BOOST_TEST(unpacked_problem(dialect, R"({"8":"a"})") == "2.8: is not known to this dialect");
}

BOOST_AUTO_TEST_CASE(a_last_part_that_takes_what_is_left_takes_two_digits_for_each_byte)
{
    const auto dialect = with_field(R"({"type": "Composite", "length": 9, "prefix": "ASCII.LL", "subfields": {
        "1": {"type": "String", "length": 1, "enc": "ASCII", "prefix": "ASCII.Fixed"},
        "2": {"type": "Binary", "length": 4, "enc": "HexToASCII", "prefix": "None.Fixed"}}})");

    BOOST_TEST(packed(dialect, R"({"1":"a","2":"BEEF0123"})") == "09aBEEF0123");
    BOOST_TEST(unpacked(dialect, "09aBEEF0123") == R"({"mti":"0200","2":{"1":"a","2":"BEEF0123"}})");
    BOOST_TEST(unpacked(dialect, "04aBEE") == "2.2: is cut off");
}

BOOST_AUTO_TEST_CASE(a_bitmap_of_subfields_grows_unless_the_file_says_otherwise)
{
    const auto dialect_of = [](std::string_view bitmap, std::string_view number) {
        return with_field(R"({"type": "Composite", "length": 99, "prefix": "ASCII.LL", "bitmap": {"type": "Bitmap", )" +
                          std::string(bitmap) + R"(, "enc": "HexToASCII", "prefix": "Hex.Fixed"}, "subfields": {")" +
                          std::string(number) +
                          R"(": {"type": "String", "length": 9, "enc": "ASCII", "prefix": "ASCII.L"}}})");
    };

    BOOST_TEST(packed(dialect_of(R"("length": 8)", "66"), R"({"66":"a"})") == "34800000000000000040000000000000001a");
    BOOST_TEST(packed(dialect_of(R"("length": 2, "disableAutoExpand": true)", "1"), R"({"1":"a"})") == "0680001a");
    BOOST_TEST(packed(dialect_of(R"("length": 2, "disableAutoExpand": true)", "16"), R"({"16":"a"})") == "0600011a");
    BOOST_TEST(unpacked(dialect_of(R"("length": 2, "disableAutoExpand": true)", "16"), "0680011a") ==
               "2.1: is not known to this dialect");
}

BOOST_AUTO_TEST_CASE(what_is_not_json_is_told_with_its_line)
{
    BOOST_TEST(error_of("") == "file:1: this cannot be read as JSON: it is empty");
    BOOST_TEST(error_of("{\n\"fields\": }").starts_with("file:2: this cannot be read as JSON: "));
    BOOST_TEST(error_of("{\n\n\n").starts_with("file:3: this cannot be read as JSON: "));
    BOOST_TEST(error_of("{}\n\n{}") == "file:3: this cannot be read as JSON: there is something after the end");
    BOOST_TEST(error_of("[]") == "file:1: a dialect must be an object");
    BOOST_TEST(error_of("{\r\n\"name\": \"x\",\r\n\"version\": 1}") ==
               "file:3: a dialect has no \"version\": it may have name, fields");
    BOOST_TEST(error_of("{\n\"name\": \"x\"}") == "file:1: \"fields\" is missing: an object of fields");
    BOOST_TEST(error_of("{\n\"fields\": []}") == "file:2: \"fields\" must be an object of fields");
    BOOST_TEST(error_of("{\n\"fields\":\n{}}") == "file:3: \"0\" is missing: the field for the message type indicator");
}

BOOST_AUTO_TEST_CASE(fields_are_called_0_to_128_and_each_is_there_once)
{
    const auto* const field = R"({"type": "String", "length": 2, "enc": "ASCII", "prefix": "ASCII.LL"})";
    const auto error_named = [&](const std::string& name) { return error_with("\n\"" + name + "\": " + field); };

    BOOST_TEST(error_named("64") == "");
    for (const auto* const name : {"129", "02", "x", "-1", ""})
        BOOST_TEST(error_named(name) ==
                       "file:5: \"" + std::string(name) +
                           "\" is not a valid name of a field: names are 0, for the message type indicator, to 128, "
                           "without leading zeros",
                   name);
    BOOST_TEST(error_named("65") == "file:5: field 65 would announce a third bitmap, which is not supported");
    BOOST_TEST(error_with("\"2\": " + std::string(field) + ",\n\"2\": " + field) ==
               "file:5: \"2\" is repeated; first in line 4");
    BOOST_TEST(error_with("\"2\":\n\"x\"") == "file:5: a field must be an object");
    BOOST_TEST(error_of(R"({"fields": {
"0": {"type": "Numeric", "length": 4, "enc": "ASCII", "prefix": "ASCII.Fixed"},
"1": {"type": "Bitmap", "length": 8, "enc": "Binary", "prefix": "Binary.Fixed"}}})") ==
               "file:1: \"fields\" must have at least one from 2 to 128");
}

BOOST_AUTO_TEST_CASE(the_type_indicator_is_text_of_the_fixed_length_4)
{
    const auto error_of_mti = [](const std::string& field) {
        return error_of("{\"fields\": {\n\"0\": " + field +
                        R"(, "1": {"type": "Bitmap", "enc": "Binary", "prefix": "Binary.Fixed"},
"2": {"type": "String", "length": 2, "enc": "ASCII", "prefix": "ASCII.LL"}}})");
    };
    const auto expected = "file:2: field 0, the message type indicator, must be text of the fixed length 4";

    BOOST_TEST(error_of_mti(R"({"type": "String", "length": 4, "enc": "EBCDIC", "prefix": "EBCDIC.Fixed"})") == "");
    BOOST_TEST(error_of_mti(R"({"type": "String", "length": 5, "enc": "ASCII", "prefix": "ASCII.Fixed"})") == expected);
    BOOST_TEST(error_of_mti(R"({"type": "String", "length": 4, "enc": "ASCII", "prefix": "ASCII.L"})") == expected);
    BOOST_TEST(error_of_mti(R"({"type": "Binary", "length": 4, "enc": "Binary", "prefix": "ASCII.Fixed"})") ==
               expected);
}

BOOST_AUTO_TEST_CASE(the_type_indicator_has_digits_only_whatever_its_type)
{
    const auto dialect = dialect::parse(R"({"fields": {
"0": {"type": "String", "length": 4, "enc": "EBCDIC", "prefix": "EBCDIC.Fixed", "padding": {"type": "Right", "pad": "0"}},
"1": {"type": "Bitmap", "enc": "Binary", "prefix": "Binary.Fixed"},
"2": {"type": "String", "length": 2, "enc": "ASCII", "prefix": "ASCII.LL"}}})",
                                        "file");

    BOOST_TEST(problem_of(dialect.pack({.mti = "02x0", .elements = {}})) == "mti: must have digits only");
    BOOST_TEST(problem_of(dialect.pack({.mti = "02", .elements = {}})) == "mti: must have 4 digits, but has 2");
    BOOST_TEST(dialect.unpack("\xF0\xF2\xF0\xF0\0\0\0\0\0\0\0\0"s).value().mti == "0200");
    BOOST_TEST(problem_of(dialect.unpack("0200\0\0\0\0\0\0\0\0"s)) == "mti: has something other than digits");
}

BOOST_AUTO_TEST_CASE(the_bitmap_is_of_8_bytes_or_16_that_mean_the_same)
{
    const auto error_of_bitmap = [](const std::string& members, const std::string& field = "2") {
        return error_of(R"({"fields": {
"0": {"type": "Numeric", "length": 4, "enc": "ASCII", "prefix": "ASCII.Fixed"},
"1": {)" + members + R"(},
")" + field + R"(": {"type": "String", "length": 2, "enc": "ASCII", "prefix": "ASCII.LL"}}})");
    };
    const auto lengths =
        "file:3: \"length\" of a bitmap must be 8, or 16, which means the same: the second half is there "
        "when the first bit says so. With \"disableAutoExpand\": true it may be any from 1 to 16";

    BOOST_TEST(error_of_bitmap(R"("type": "Bitmap", "length": 16, "enc": "Binary", "prefix": "Binary.Fixed")", "128") ==
               "");
    BOOST_TEST(error_of_bitmap(R"("type": "Bitmap", "length": 4, "enc": "Binary", "prefix": "Binary.Fixed")") ==
               lengths);
    BOOST_TEST(error_of_bitmap(R"("type": "Bitmap", "length": 17, "enc": "Binary", "prefix": "Binary.Fixed")") ==
               "file:3: \"length\" must be a whole number from 1 to 16");
    BOOST_TEST(error_of_bitmap(R"("type": "Binary", "length": 8, "enc": "Binary", "prefix": "Binary.Fixed")") ==
               "file:3: \"type\" must be Bitmap");
    BOOST_TEST(error_of_bitmap(R"("type": "Bitmap", "enc": "ASCII", "prefix": "ASCII.Fixed")") ==
               "file:3: a bitmap is written in Binary or HexToASCII");
    BOOST_TEST(error_of_bitmap(R"("type": "Bitmap", "enc": "Binary", "prefix": "ASCII.LL")") ==
               "file:3: a bitmap has a fixed length: \"Binary.Fixed\" or \"Hex.Fixed\"");
    BOOST_TEST(error_of_bitmap(R"("type": "Bitmap", "enc": "Binary", "prefix": "Hex.Fixed", "disableAutoExpand": 1)") ==
               "file:3: \"disableAutoExpand\" must be true or false");
    BOOST_TEST(error_of_bitmap(R"("type": "Bitmap", "enc": "Binary", "prefix": "Hex.Fixed", "disableAutoExpand": true)",
                               "65") == "file:4: field 65 would announce a third bitmap, which is not supported");
    BOOST_TEST(error_of_bitmap(R"("type": "Bitmap", "enc": "Binary", "prefix": "Hex.Fixed", "disableAutoExpand": true)",
                               "66") == "file:4: field 66 has no bit in the bitmap, field 1");
}

BOOST_AUTO_TEST_CASE(names_that_there_are_not_are_told_with_those_that_there_are)
{
    BOOST_TEST(error_in_field(R"("prefix": "ASCII.LL", "description": "x", "mask": true)") == "");
    BOOST_TEST(
        error_in_field(R"("prefix": "ASCII.LL", "lenght": 3)") ==
        "file:5: a field with text has no \"lenght\": it may have type, length, enc, prefix, padding, description, "
        "mask");
    BOOST_TEST(error_with(R"("2": {"length": 3,
"type": "Text"})") == "file:5: \"type\": there is no \"Text\"; there are String, Numeric, Binary, Hex, Bitmap, Track1, "
                      "Track2, Track3, Composite");
    BOOST_TEST(error_with(R"("2": {"type": "String", "length": 3, "prefix": "ASCII.LL",
"enc": "ascii"})") == "file:5: \"enc\": there is no \"ascii\"; there are ASCII, EBCDIC, EBCDIC1047, BCD, LBCD, Binary, "
                      "HexToASCII, ASCIIToHex");
    for (const auto* const prefix :
         {"ASCII", "ASCII.", "ASCII.LLLLLLL", "BCD.LLLLL", "ASCIILL", "Hex.fixed", "None.L", ""})
        BOOST_TEST(
            error_in_field("\"prefix\": \"" + std::string(prefix) + '"') ==
                "file:5: \"prefix\": there is no \"" + std::string(prefix) +
                    "\"; there are Fixed, L, LL, LLL and LLLL of ASCII, BCD, Hex, EBCDIC, Binary, such as ASCII.LL, "
                    "and ASCII.LLLLL, ASCII.LLLLLL and None.Fixed",
            prefix);
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_told_with_the_line_in_which_its_field_begins)
{
    BOOST_TEST(error_with("\n\"2\": {\n\"length\": 3}") == "file:5: \"type\" is missing: a name such as \"Numeric\"");
    BOOST_TEST(error_with(R"("2": {"type": "String", "enc": "ASCII", "prefix": "ASCII.LL"})") ==
               "file:4: \"length\" is missing: a whole number from 1 to 999999");
    BOOST_TEST(error_with(R"("2": {"type": "String", "length": 3, "prefix": "ASCII.LL"})") ==
               "file:4: \"enc\" is missing: a name such as \"ASCII\"");
    BOOST_TEST(error_with(R"("2": {"type": "String", "length": 3, "enc": "ASCII"})") ==
               "file:4: \"prefix\" is missing: a name such as \"ASCII.Fixed\" or \"ASCII.LL\"");
    BOOST_TEST(error_with(R"("2": {"type": "Composite", "length": 3, "prefix": "ASCII.LL"})") ==
               "file:4: \"subfields\" is missing: an object of fields");
    BOOST_TEST(error_with(R"("2": {"type":
7, "length": 3, "prefix": "ASCII.LL"})") == "file:5: \"type\" must be a name such as \"Numeric\"");
}

BOOST_AUTO_TEST_CASE(a_length_is_a_whole_number_that_its_prefix_can_count_to)
{
    const auto error_of_length = [](const std::string& length, const std::string& prefix) {
        return error_with(R"("2": {"type": "String", "enc": "ASCII",
"length": )" + length + ",\n\"prefix\": \"" +
                          prefix + "\"}");
    };

    for (const auto* const length : {"0", "-1", "1.5", "1e3", "1000000", "99999999999999999999", "\"3\"", "null"})
        BOOST_TEST(error_of_length(length, "ASCII.LL") == "file:5: \"length\" must be a whole number from 1 to 999999",
                   length);
    BOOST_TEST(error_of_length("99", "ASCII.LL") == "");
    BOOST_TEST(error_of_length("100", "ASCII.LL") ==
               "file:6: ASCII.LL can count to 99, not to the length of 100 characters");
    BOOST_TEST(error_of_length("256", "Binary.L") ==
               "file:6: Binary.L can count to 255, not to the length of 256 characters");
    BOOST_TEST(error_of_length("256", "Hex.L") ==
               "file:6: Hex.L can count to 255, not to the length of 256 characters");
    BOOST_TEST(error_of_length("1000", "BCD.LLL") ==
               "file:6: BCD.LLL can count to 999, not to the length of 1000 characters");
    BOOST_TEST(error_of_length("999999", "ASCII.LLLLLL") == "");
    BOOST_TEST(error_of_length("9", "None.Fixed") ==
               "file:4: None.Fixed takes everything that is left: only the last of subfields can have it");
}

BOOST_AUTO_TEST_CASE(type_and_encoding_fit_each_other)
{
    const auto error_of_types = [](const std::string& type, const std::string& encoding) {
        return error_with("\"2\": {\"type\": \"" + type + "\", \"length\": 3, \"prefix\": \"ASCII.LL\",\n\"enc\": \"" +
                          encoding + "\"}");
    };

    for (const auto* const encoding : {"ASCII", "EBCDIC", "EBCDIC1047", "BCD", "LBCD"}) {
        for (const auto* const type : {"String", "Numeric", "Track1", "Track2", "Track3"})
            BOOST_TEST(error_of_types(type, encoding) == "");
        for (const auto* const type : {"Binary", "Hex"})
            BOOST_TEST(error_of_types(type, encoding) == "file:5: a field of bytes cannot be written in " +
                                                             std::string(encoding) + ": use Binary or HexToASCII");
    }
    for (const auto* const encoding : {"Binary", "HexToASCII", "ASCIIToHex"})
        for (const auto* const type : {"Binary", "Hex"})
            BOOST_TEST(error_of_types(type, encoding) == "");
    BOOST_TEST(
        error_of_types("String", "Binary") ==
        "file:5: text cannot be written in Binary: use ASCII, EBCDIC, EBCDIC1047, BCD or LBCD, or the type Binary");
    BOOST_TEST(error_of_types("Numeric", "HexToASCII").starts_with("file:5: text cannot be written in HexToASCII: "));
    BOOST_TEST(error_of_types("String", "BerTLVTag") ==
               "file:5: BER-TLV is not supported: make it one field of the type Binary, which holds all of it");
    BOOST_TEST(error_of_types("Bitmap", "Binary") ==
               "file:4: only field 1 and the \"bitmap\" of a Composite can be a Bitmap");
    BOOST_TEST(error_in_field(R"("prefix": "BerTLV")") ==
               "file:5: BER-TLV is not supported: make it one field of the type Binary, which holds all of it");
}

BOOST_AUTO_TEST_CASE(padding_is_one_character_for_text_of_fixed_length)
{
    const auto error_of_padding = [](const std::string& padding, const std::string& prefix = "ASCII.Fixed") {
        return error_in_field("\"prefix\": \"" + prefix + "\",\n\"padding\": " + padding);
    };
    const auto error_of_digits = [](const std::string& type, const std::string& encoding, const std::string& padding) {
        return error_with("\"2\": {\"type\": \"" + type + "\", \"length\": 4, \"enc\": \"" + encoding +
                          "\", \"prefix\": \"ASCII.Fixed\",\n\"padding\": " + padding + "}");
    };
    const auto only_zeros = R"(file:5: digits can be padded only with zeros on the left: {"type": "Left", "pad": "0"})";

    BOOST_TEST(error_of_padding(R"({"type": "Right", "pad": " "})") == "");
    BOOST_TEST(error_of_padding(R"({"type": "None"})", "ASCII.LL") == "");
    for (const auto* const pad : {"", "00", "\\u00e9", "\\n"})
        BOOST_TEST(error_of_padding(R"({"type": "Left", "pad": ")" + std::string(pad) + "\"}") ==
                       "file:6: \"pad\" must be one printable ASCII character",
                   pad);
    BOOST_TEST(error_of_padding(R"({"type": "Left"})") == "file:6: \"pad\" is missing: the padding character");
    BOOST_TEST(error_of_padding(R"({"type": "Center", "pad": " "})") ==
               "file:6: \"type\": there is no padding \"Center\"; there are Left, Right, None");
    BOOST_TEST(error_of_padding(R"({"pad": " "})") == "file:6: \"type\" is missing: Left, Right or None");
    BOOST_TEST(error_of_padding(R"({"type": "Left", "pad": "0", "with": 3})") ==
               "file:6: padding has no \"with\": it may have type, pad");
    BOOST_TEST(error_of_padding("\"Left\"") == "file:6: padding must be an object");
    BOOST_TEST(error_of_padding(R"({"type": "Left", "pad": "0"})", "ASCII.LL") ==
               "file:6: only a field of fixed length can be padded; this one has a length prefix");
    BOOST_TEST(error_of_digits("Binary", "Binary", R"({"type": "Left", "pad": "0"})") ==
               "file:5: binary data cannot be padded: give as many bytes as the length says");
    BOOST_TEST(error_of_digits("Numeric", "ASCII", R"({"type": "Right", "pad": "0"})") == only_zeros);
    BOOST_TEST(error_of_digits("Numeric", "ASCII", R"({"type": "Left", "pad": " "})") == only_zeros);
    BOOST_TEST(error_of_digits("String", "BCD", R"({"type": "Right", "pad": "0"})") == only_zeros);
    BOOST_TEST(error_of_digits("Track2", "BCD", R"({"type": "Right", "pad": "0"})") == only_zeros);
}

BOOST_AUTO_TEST_CASE(subfields_have_numbers_that_their_tag_or_bitmap_can_tell)
{
    const auto error_of_subfield = [](const std::string& members, const std::string& name) {
        return error_with(R"("2": {"type": "Composite", "length": 99, "prefix": "ASCII.LL",)"
                          "\n" +
                          members + "\"subfields\": {\n\"" + name +
                          R"(": {"type": "String", "length": 2, "enc": "ASCII", "prefix": "ASCII.LL"}}})");
    };
    const std::string tag = R"("tag": {"length": 2, "enc": "ASCII"}, )";
    const std::string bitmap = R"("bitmap": {"type": "Bitmap", "enc": "Binary", "prefix": "Binary.Fixed"}, )";

    BOOST_TEST(error_of_subfield("", "0") == "");
    for (const auto* const name : {"9F02", "x", "", "1000000", "-1"})
        BOOST_TEST(error_of_subfield("", name) ==
                       "file:6: \"" + std::string(name) +
                           "\" is not a valid name of a subfield: names are numbers of at most six digits",
                   name);
    BOOST_TEST(error_of_subfield(tag, "99") == "");
    BOOST_TEST(error_of_subfield(tag, "100") == "file:6: \"100\" is longer than a tag");
    BOOST_TEST(error_of_subfield(bitmap, "128") == "");
    for (const auto* const name : {"0", "1", "65", "129"})
        BOOST_TEST(error_of_subfield(bitmap, name) == "file:6: \"" + std::string(name) + "\" has no bit in the bitmap");
    BOOST_TEST(error_of_subfield(tag + bitmap, "2") == "file:5: a Composite has a bitmap or tags, not both");
}

BOOST_AUTO_TEST_CASE(what_a_composite_cannot_have_is_refused)
{
    const auto error_of_composite = [](const std::string& members) {
        return error_with(R"("2": {"type": "Composite", "length": 99, "prefix": "ASCII.LL",)"
                          "\n" +
                          members + "}");
    };
    const std::string field = R"({"type": "String", "length": 2, "enc": "ASCII", "prefix": "ASCII.LL"})";
    const std::string rest = R"({"type": "String", "length": 2, "enc": "ASCII", "prefix": "None.Fixed"})";
    const auto only_the_last =
        "None.Fixed takes everything that is left: only the last of subfields without tags and bitmap can "
        "have it"s;

    BOOST_TEST(error_of_composite("\"subfields\": {}") == "file:5: \"subfields\" must have at least one");
    BOOST_TEST(error_of_composite("\"enc\": \"ASCII\", \"subfields\": {\"1\": " + field + "}") ==
               "file:5: a Composite has no \"enc\": it may have type, length, prefix, subfields, tag, bitmap, padding, "
               "description, mask");
    BOOST_TEST(error_of_composite("\"subfields\": {\"1\": " + field + ",\n\"01\": " + field + "}") ==
               "file:6: subfield 1 is repeated; first in line 5");
    BOOST_TEST(error_of_composite("\"subfields\": {\"2\": " + rest + ",\n\"1\": " + field + "}") == "");
    BOOST_TEST(error_of_composite("\"subfields\": {\"1\": " + rest + ",\n\"2\": " + field + "}") ==
               "file:5: " + only_the_last);
    BOOST_TEST(error_of_composite("\"tag\": {\"length\": 1, \"enc\": \"ASCII\"}, \"subfields\": {\"1\": " + rest +
                                  "}") == "file:5: " + only_the_last);
    BOOST_TEST(error_of_composite(R"("subfields": {"1": {"type": "Numeric", "length": 2, "enc": "BCD",
"prefix": "None.Fixed"}})") ==
               "file:6: None.Fixed takes all bytes that are left, which does not say how many BCD digits there are");
    BOOST_TEST(error_of_composite(R"("padding": {"type": "Left", "pad": "0"}, "subfields": {"1": )" + field + "}") ==
               "file:5: a Composite cannot be padded: its subfields can");
    BOOST_TEST(error_with(R"("2": {"type": "Composite", "length": 100, "subfields": {"1": )" + field +
                          "},\n\"prefix\": \"ASCII.LL\"}") ==
               "file:5: ASCII.LL can count to 99, not to the length of 100 bytes");
}

BOOST_AUTO_TEST_CASE(tags_are_digits_and_none_is_skipped)
{
    const auto error_of_tag = [](const std::string& tag) {
        return error_with(R"("2": {"type": "Composite", "length": 99, "prefix": "ASCII.LL",
"tag": {)" + tag + R"(}, "subfields": {"1": {"type": "String", "length": 2, "enc": "ASCII", "prefix": "ASCII.LL"}}})");
    };

    BOOST_TEST(error_of_tag(R"("length": 2, "enc": "BCD", "sort": "StringsByHex", "skipUnknownTLVTags": false)") == "");
    BOOST_TEST(error_of_tag(R"("sort": "StringsByInt")") == "");
    BOOST_TEST(error_of_tag(R"("sort": "Strings")") == "file:5: \"sort\" must be StringsByInt or StringsByHex");
    BOOST_TEST(error_of_tag(R"("enc": "ASCII")") == "file:5: \"length\" is missing: a whole number from 1 to 6");
    BOOST_TEST(error_of_tag(R"("length": 4, "enc": "ASCIIToHex")") ==
               "file:5: \"length\" must be a whole number from 1 to 3");
    BOOST_TEST(error_of_tag(R"("length": 2, "enc": "Binary")") ==
               "file:5: tags are written in ASCII, EBCDIC, EBCDIC1047, BCD, LBCD or ASCIIToHex");
    BOOST_TEST(error_of_tag(R"("enc": "BerTLVTag", "sort": "StringsByHex")") ==
               "file:5: BER-TLV is not supported: make it one field of the type Binary, which holds all of it");
    BOOST_TEST(error_of_tag(R"("length": 2, "enc": "ASCII", "skipUnknownTLVTags": true)") ==
               "file:5: unknown tags are not skipped: part of the message would be lost");
    BOOST_TEST(error_of_tag(R"("length": 2, "enc": "ASCII", "padding": {"type": "Right", "pad": " "})") ==
               "file:5: tags can be padded only with zeros on the left");
    BOOST_TEST(error_of_tag(R"("length": 2, "enc": "ASCII", "name": "x")") ==
               "file:5: tag has no \"name\": it may have length, enc, padding, sort, skipUnknownTLVTags");
}

// The wire is written by hand, as SocketQueue's emulated bank takes and gives it.
BOOST_AUTO_TEST_CASE(the_example_file_is_what_it_says)
{
    const std::string file = CAUSEWAY_PROJECT_DIR "/docs/deployment/iso8583-smartvista.json";
    const auto smart_vista = dialect::parse(causeway::test::text_of(file), file);

    const auto purchase =
        message_of(R"({"mti":"0200","3":"000000","4":"000000001000","11":"000001","41":"00992468","55":"9F02"})");
    BOOST_TEST(smart_vista.pack(purchase).value() == "0200\x30\x20\0\0\0\x80\x02\0"
                                                     "000000"
                                                     "000000001000"
                                                     "000001"
                                                     "00992468"
                                                     "\0\x02\x9F\x02"s);

    const auto approval = smart_vista.unpack("0210\0\x20\0\0\x02\x80\0\0"
                                             "000001"
                                             "000"
                                             "00992468"s);
    BOOST_TEST(json_of(approval.value()) == R"({"mti":"0210","11":"000001","39":"000","41":"00992468"})");
}

BOOST_AUTO_TEST_SUITE_END()
