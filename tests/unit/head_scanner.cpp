#include "http/head_scanner.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

namespace {

namespace http = causeway::http;

bool accepts(std::string_view head) { return !http::head_scanner().scan(head); }

} // namespace

BOOST_AUTO_TEST_SUITE(head_scanner)

BOOST_AUTO_TEST_CASE(a_character_is_judged_alike_wherever_in_a_line_it_stands)
{
    constexpr std::size_t longer_than_two_words = 21;
    for (int value = 0; value < 256; ++value)
        for (std::size_t at = 0; at != longer_than_two_words; ++at) {
            std::string field(longer_than_two_words, 'x');
            field[at] = static_cast<char>(value);

            const bool accepted = accepts("GET / HTTP/1.1\r\na:" + field + "\r\n\r\n");

            const bool is_text = (value >= 0x20 && value != 0x7f) || value == '\t';
            BOOST_TEST_REQUIRE(accepted == is_text, "character " << value << " at " << at);
        }
}

BOOST_AUTO_TEST_CASE(two_characters_are_judged_like_each_by_itself)
{
    for (int first = 0; first < 256; ++first)
        for (int second = 0; second < 256; ++second) {
            if (first == '\r' || first == '\n' || second == '\r' || second == '\n')
                continue;
            const std::string both{static_cast<char>(first), static_cast<char>(second)};
            const auto in_a_line = [](const std::string& text) { return "GET /x" + text + "xxxxx\r\n\r\n"; };

            const bool accepted = accepts(in_a_line(both));

            BOOST_TEST_REQUIRE(accepted ==
                                   (accepts(in_a_line(both.substr(0, 1))) && accepts(in_a_line(both.substr(1)))),
                               "characters " << first << " and " << second);
        }
}

BOOST_AUTO_TEST_CASE(a_head_is_judged_alike_wherever_it_is_cut)
{
    using namespace std::string_view_literals;
    for (const auto head : {"GET / HTTP/1.1\r\nHost: x\r\n\r\n"sv, "GET / HTTP/1.1\r\nHost: x\n\r\n"sv,
                            "GET / HTTP/1.1\r\nHost: \rx\r\n\r\n"sv, "GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n"sv,
                            "GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n"sv, "GET / HTTP/1.1\r\nHost: \x7fy\r\n\r\n"sv})
        for (std::size_t cut = 0; cut <= head.size(); ++cut) {
            http::head_scanner scanner;

            const bool accepted = !scanner.scan(head.substr(0, cut)) && !scanner.scan(head.substr(cut));

            BOOST_TEST(accepted == accepts(head), head << " cut at " << cut);
        }
}

BOOST_AUTO_TEST_CASE(what_comes_behind_the_head_is_not_looked_at)
{
    BOOST_TEST(accepts("GET / HTTP/1.1\r\nHost: x\r\n\r\n\x01\n\r anything"));
}

BOOST_AUTO_TEST_SUITE_END()
