#include "iso8583_kit.hpp"
#include "protocols/iso8583/json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <random>
#include <string>

namespace {

using namespace causeway::iso8583;
using namespace causeway::iso8583::test;
using namespace std::string_literals;

std::string problem_with(std::string_view json) { return problem_of(from_json(json)); }

// With a type, so that what is wrong is in the elements.
std::string problem_with_elements(std::string_view elements)
{
    return problem_with(R"({"mti":"0200",)" + std::string(elements) + "}");
}

} // namespace

BOOST_AUTO_TEST_SUITE(iso8583_json)

BOOST_AUTO_TEST_CASE(a_message_is_an_object_of_strings_and_of_objects_for_parts)
{
    const auto message =
        from_json(R"( {"127": {"20": "20261124", "2": "key"}, "mti": "0200", "4": "000000001000"} )").value();

    const causeway::iso8583::message expected{
        .mti = "0200",
        .elements = {{.number = 4, .text = "000000001000"},
                     {.number = 127, .parts = {{.number = 2, .text = "key"}, {.number = 20, .text = "20261124"}}}}};
    BOOST_TEST((message == expected));
    BOOST_TEST(json_of(message) == R"({"mti":"0200","4":"000000001000","127":{"2":"key","20":"20261124"}})");
}

BOOST_AUTO_TEST_CASE(a_message_without_elements_has_only_its_type)
{
    BOOST_TEST(json_of(message_of(R"({"mti":"0810"})")) == R"({"mti":"0810"})");
}

BOOST_AUTO_TEST_CASE(what_is_no_string_is_refused_with_the_reason)
{
    BOOST_TEST(problem_with_elements(R"("4":1000)") ==
               "4: must be a string, not a number, which would lose its leading zeros");
    BOOST_TEST(problem_with_elements(R"("4":1.5e3)") ==
               "4: must be a string, not a number, which would lose its leading zeros");
    BOOST_TEST(problem_with_elements(R"("4":true)") == "4: must be a string, not true or false");
    BOOST_TEST(problem_with_elements(R"("4":null)") == "4: must be a string, not null: leave it out instead");
    BOOST_TEST(problem_with_elements(R"("4":["1"])") ==
               "4: must be a string, or an object with its parts, not an array");
    BOOST_TEST(problem_with_elements(R"("127":{"22":{"3":7}})") ==
               "127.22.3: must be a string, not a number, which would lose its leading zeros");
}

BOOST_AUTO_TEST_CASE(names_are_numbers_from_2_to_128_without_leading_zeros_and_what_else_there_is_is_not_repeated)
{
    const auto expected = R"(has an invalid name: names are "mti" and "2" to "128", without leading zeros)"s;
    for (const auto* const name :
         {"0", "02", "129", "4111111111111111", "MTI", "", " 2", "2 ", "+2", "-2", "2.1", "0x2"})
        BOOST_TEST(problem_with_elements('"' + std::string(name) + R"(":"x")") == expected, name);

    BOOST_TEST(problem_with_elements(R"("1":"8220000000000000")") ==
               "1: is the bitmap, which is computed: leave it out");
    for (const auto* const name : {"02", "x", "", "1000000", "4111111111111111"})
        BOOST_TEST(problem_with_elements(R"("127":{")" + std::string(name) + R"(":"x"})") ==
                   "127: has a part whose name is not a number, or has leading zeros");
    BOOST_TEST(problem_with_elements(R"("48":{"0":"x","1":"y","999999":"z"})") == "");
}

BOOST_AUTO_TEST_CASE(each_name_is_there_once)
{
    BOOST_TEST(problem_with_elements(R"("3":"000000","2":"40","3":"000000")") == "3: is repeated");
    BOOST_TEST(problem_with_elements(R"("127":{"2":"a","2":"a"})") == "127.2: is repeated");
    BOOST_TEST(problem_with_elements(R"("mti":"0200")") == "mti: is repeated");
}

BOOST_AUTO_TEST_CASE(the_type_is_four_digits)
{
    const auto expected = R"(mti: must be a string of four digits such as "0200")"s;

    BOOST_TEST(problem_with("{}") == R"(mti: is missing: four digits such as "0200")");
    for (const auto* const mti : {R"("200")", R"("02000")", R"("02x0")", R"("")", "200", "null", R"({"1":"0200"})"})
        BOOST_TEST(problem_with(R"({"mti":)" + std::string(mti) + "}") == expected, mti);
}

BOOST_AUTO_TEST_CASE(characters_that_are_not_ascii_are_refused_with_the_name_of_the_element)
{
    BOOST_TEST(problem_with_elements("\"43\":\"caf\xC3\xA9\"") == "43: must have ASCII characters only");
    BOOST_TEST(problem_with_elements(R"("43":"caf\u00e9")") == "43: must have ASCII characters only");
    BOOST_TEST(problem_with_elements(R"("43":"\ud83d\ude00")") == "43: must have ASCII characters only");
    for (const auto* const not_utf_8 : {"\xFF", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF8\x88\x80\x80\x80"})
        BOOST_TEST(problem_with_elements("\"127\":{\"2\":\"" + std::string(not_utf_8) + "\"}") ==
                   "127.2: must have ASCII characters only");
}

BOOST_AUTO_TEST_CASE(what_is_not_json_is_refused_with_its_line)
{
    BOOST_TEST(problem_with("") == "this cannot be read as JSON: line 1: it is empty");
    BOOST_TEST(problem_with(" \n\n").starts_with("this cannot be read as JSON: line "));
    BOOST_TEST(problem_with("{\"mti\":\"0200\",\n\"2\":'4000'}").starts_with("this cannot be read as JSON: line 2: "));
    BOOST_TEST(problem_with("{\"mti\":\"0200\"").starts_with("this cannot be read as JSON: line 1: "));
    BOOST_TEST(problem_with("{\"mti\":\"0200\"}\n{}") ==
               "this cannot be read as JSON: line 2: there is something after the end");
    BOOST_TEST(problem_with("{\"mti\":\"0200\"} x") ==
               "this cannot be read as JSON: line 1: there is something after the end");
    BOOST_TEST(problem_with("{\"mti\":\"0200\",}").starts_with("this cannot be read as JSON: line 1: "));
    BOOST_TEST(problem_with("{\"mti\":\"0200\"} // x").starts_with("this cannot be read as JSON: line 1: "));
    BOOST_TEST(problem_with("{\"mti\":\"02\n00\"}").starts_with("this cannot be read as JSON: line 1: "));
    BOOST_TEST(problem_with("[]") == R"(a message is a JSON object, such as {"mti":"0800","70":"301"})");
    BOOST_TEST(problem_with("\"0200\"") == R"(a message is a JSON object, such as {"mti":"0800","70":"301"})");
}

BOOST_AUTO_TEST_CASE(nesting_and_size_are_bounded)
{
    const auto nested = [](int depth) {
        std::string json;
        for (int level = 0; level != depth; ++level)
            json += R"({"2":)";
        return R"({"mti":"0200","127":)" + json + R"("x")" + std::string(static_cast<std::size_t>(depth) + 1, '}');
    };
    BOOST_TEST(problem_with(nested(7)) == "");
    const auto too_deep = "this cannot be read as JSON: line 1: it is nested more than 8 levels deep";
    BOOST_TEST(problem_with(nested(8)) == too_deep);
    BOOST_TEST(problem_with(nested(50'000)) == too_deep);

    const auto longest = R"({"mti":"0200"})" + std::string(longest_json - 14, ' ');
    BOOST_TEST(problem_with(longest) == "");
    BOOST_TEST(problem_with(longest + ' ') == "the JSON is longer than 524288 bytes");

    // The object itself is one of the values, and so are "mti" and "2".
    const auto with_list_of = [](std::size_t values) {
        std::string list = "0";
        while (list.size() != 2 * values - 1)
            list += ",0";
        return R"({"mti":"0200","2":[)" + list + "]}";
    };
    BOOST_TEST(problem_with(with_list_of(1021)).starts_with("2: must be a string"));
    BOOST_TEST(problem_with(with_list_of(1022)) == "this cannot be read as JSON: line 1: it has more than 1024 values");
}

BOOST_AUTO_TEST_CASE(blank_lines_count_and_are_no_part_of_it)
{
    BOOST_TEST(problem_with("\n \n{\n\n\"mti\":\r\n\t\n\"0200\"\n\n}\n\n") == "");
    BOOST_TEST(problem_with("\n\n{\n\n\"mti\":\n\n'0200'}").starts_with("this cannot be read as JSON: line 7: "));
    BOOST_TEST(problem_with("\n{\"mti\":\"0200\"\n\n\n").starts_with("this cannot be read as JSON: line 4: "));
}

BOOST_AUTO_TEST_CASE(text_is_escaped_as_iso_8859_1)
{
    const message message{.mti = "0210", .elements = {{.number = 43, .text = "a\"b\\c/\n\x1F\x7F\x80\xE9\xFF\0z"s}}};

    BOOST_TEST(json_of(message) == R"({"mti":"0210","43":"a\"b\\c/\u000A\u001F\u007F\u0080\u00E9\u00FF\u0000z"})");
}

BOOST_AUTO_TEST_CASE(json_is_appended_to_what_was_there_before)
{
    std::string output = "{";

    append_json(message_of(R"({"mti":"0200","3":"000000"})"), output);

    BOOST_TEST(output == R"({{"mti":"0200","3":"000000"})");
}

BOOST_AUTO_TEST_CASE(any_text_makes_valid_json_that_means_it)
{
    constexpr unsigned seed = 3;
    std::mt19937 random(seed);
    for (int round = 0; round != 2000; ++round) {
        message message{.mti = "0210", .elements = {{.number = 44}}};
        auto& text = message.elements.front().text;
        for (auto length = random() % 30; length != 0; --length)
            text += static_cast<char>(random());

        const auto parsed = boost::json::parse(json_of(message)).at("44").as_string();

        std::string expected; // UTF-8 of the same characters
        for (const char byte : text)
            if (const auto character = static_cast<unsigned char>(byte); character < 0x80)
                expected += byte;
            else
                (expected += static_cast<char>(0xC0 | character >> 6)) += static_cast<char>(0x80 | (character & 0x3F));
        BOOST_TEST_REQUIRE(std::string(parsed) == expected, "seed " << seed << ", round " << round);
    }
}

BOOST_AUTO_TEST_SUITE_END()
