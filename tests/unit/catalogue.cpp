#include "protocols/codes/catalogue.hpp"

#include "protocols/codes/reply.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace codes = causeway::codes;

constexpr std::string_view unknown = ": unknown, not in the registry of HTTP status codes.\n";

std::string reply_to(std::string_view asked)
{
    std::string wire;
    codes::append_reply(asked, wire);
    return wire;
}

// The codes that IANA's registry has assigned or reserved, as inclusive ranges; 104 is temporary there.
std::vector<std::string> registered_codes()
{
    struct range {
        int first;
        int last;
    };
    constexpr auto ranges = std::to_array<range>({{100, 103},
                                                  {200, 208},
                                                  {226, 226},
                                                  {300, 308},
                                                  {400, 418},
                                                  {421, 426},
                                                  {428, 429},
                                                  {431, 431},
                                                  {451, 451},
                                                  {500, 508},
                                                  {510, 511}});
    std::vector<std::string> codes;
    for (const auto& range : ranges)
        for (int code = range.first; code <= range.last; ++code)
            codes.push_back(std::to_string(code));
    return codes;
}

bool is_printable_ascii(char c) { return c >= ' ' && c <= '~'; }

} // namespace

BOOST_AUTO_TEST_SUITE(catalogue)

BOOST_AUTO_TEST_CASE(the_catalogue_has_exactly_the_codes_of_the_registry)
{
    const auto expected = registered_codes();

    std::vector<std::string> found;
    for (const auto& entry : codes::catalogue())
        found.emplace_back(entry.code);

    BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_three_digit_number_is_unknown_exactly_when_the_registry_lacks_it)
{
    const auto registered = registered_codes();
    for (int number = 1000; number < 2000; ++number) {
        const auto asked = std::to_string(number).substr(1);

        const auto reply = reply_to(asked);

        const bool expected = std::ranges::find(registered, asked) == registered.end();
        BOOST_TEST((reply == "Code " + asked + std::string(unknown)) == expected, asked << " got: " << reply);
    }
}

BOOST_AUTO_TEST_CASE(the_reply_to_a_code_in_the_catalogue_is_made_of_its_entry)
{
    for (const auto& entry : codes::catalogue()) {
        const auto reply = reply_to(entry.code);

        std::string expected = "Code ";
        expected.append(entry.code).append(": ").append(entry.name).append(", ").append(entry.use).append("\n");
        BOOST_TEST(reply == expected);
    }
}

BOOST_AUTO_TEST_CASE(the_reply_to_a_code_in_the_catalogue_names_that_code_to_the_bridge)
{
    for (const auto& entry : codes::catalogue()) {
        const auto named = codes::code_named_in(reply_to(entry.code));

        BOOST_TEST_REQUIRE(named.has_value(), "no code is named in the reply to " << entry.code);
        BOOST_TEST(named->text() == entry.code);
    }
}

BOOST_AUTO_TEST_CASE(the_reply_to_a_code_in_the_catalogue_is_one_short_line_of_text)
{
    for (const auto& entry : codes::catalogue()) {
        const auto reply = reply_to(entry.code);

        BOOST_TEST(reply.ends_with(".\n"), reply);
        BOOST_TEST(std::ranges::count(reply, '\n') == 1, reply);
        BOOST_TEST(std::ranges::count_if(reply, is_printable_ascii) + 1 == std::ranges::ssize(reply), reply);
        BOOST_TEST(reply.size() <= 300U, reply);
    }
}

BOOST_AUTO_TEST_CASE(every_code_has_a_text_of_its_own)
{
    std::set<std::string_view> seen;

    for (const auto& entry : codes::catalogue())
        BOOST_TEST(seen.insert(entry.use).second, entry.code << " has another code's text: " << entry.use);

    BOOST_TEST(!seen.empty());
}

BOOST_AUTO_TEST_CASE(every_text_says_when_the_code_is_used_unless_it_should_not_be_used)
{
    const std::set<std::string_view> not_for_use = {"305", "306", "402", "418", "510"};

    for (const auto& entry : codes::catalogue())
        BOOST_TEST(entry.use.starts_with("used when ") != not_for_use.contains(entry.code),
                   entry.code << ": " << entry.use);
}

BOOST_AUTO_TEST_CASE(a_known_code_is_answered_with_its_registered_name)
{
    BOOST_TEST(reply_to("404").starts_with("Code 404: Not Found, used when "), reply_to("404"));
    BOOST_TEST(reply_to("100").starts_with("Code 100: Continue, used when "), reply_to("100"));
    BOOST_TEST(reply_to("306").starts_with("Code 306: (Unused), unused since "), reply_to("306"));
    BOOST_TEST(reply_to("413").starts_with("Code 413: Content Too Large, used when "), reply_to("413"));
    BOOST_TEST(reply_to("418").starts_with("Code 418: (Unused), unused "), reply_to("418"));
    BOOST_TEST(reply_to("422").starts_with("Code 422: Unprocessable Content, used when "), reply_to("422"));
    BOOST_TEST(reply_to("510").starts_with("Code 510: Not Extended (OBSOLETED), obsolete "), reply_to("510"));
    BOOST_TEST(reply_to("511").starts_with("Code 511: Network Authentication Required, used when "), reply_to("511"));
}

BOOST_AUTO_TEST_CASE(an_unknown_code_is_echoed_and_called_unknown)
{
    BOOST_TEST(reply_to("299") == "Code 299: unknown, not in the registry of HTTP status codes.\n");
    BOOST_TEST(reply_to("aZ9") == "Code aZ9: unknown, not in the registry of HTTP status codes.\n");
}

BOOST_AUTO_TEST_CASE(a_code_that_is_too_short_is_unknown)
{
    BOOST_TEST(reply_to("4") == "Code 4: unknown, not in the registry of HTTP status codes.\n");
    BOOST_TEST(reply_to("40") == "Code 40: unknown, not in the registry of HTTP status codes.\n");
}

BOOST_AUTO_TEST_CASE(a_byte_that_is_not_printable_ascii_is_echoed_as_a_question_mark)
{
    BOOST_TEST(reply_to("\x01\xff?") == "Code ???: unknown, not in the registry of HTTP status codes.\n");

    for (int value = 0; value < 256; ++value) {
        const char byte = static_cast<char>(value);

        const auto reply = reply_to(std::string_view(&byte, 1));

        const char shown = value >= 0x20 && value <= 0x7e ? byte : '?';
        BOOST_TEST(reply == "Code " + std::string(1, shown) + std::string(unknown), "byte " << value << ": " << reply);
    }
}

BOOST_AUTO_TEST_CASE(a_reply_is_appended_to_what_was_there_before)
{
    for (const std::string_view asked : {"404", "299"}) {
        std::string wire = "before";

        codes::append_reply(asked, wire);
        codes::append_reply(asked, wire);

        BOOST_TEST(wire == "before" + reply_to(asked) + reply_to(asked));
    }
}

BOOST_AUTO_TEST_SUITE_END()
