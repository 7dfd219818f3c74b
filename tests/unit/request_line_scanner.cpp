#include "http/request_line_scanner.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using boost::beast::http::status;
using namespace std::string_view_literals;
namespace http = causeway::http;

using outcome = std::optional<http::refusal>;

struct verdict {
    outcome refused;
    bool ended = false;
    std::size_t size = 0; // how much had to arrive for it
};

verdict judge_byte_by_byte(std::string_view bytes)
{
    http::request_line_scanner scanner;
    for (std::size_t size = 1; size <= bytes.size(); ++size) {
        outcome refused;
        scanner.scan(bytes.substr(0, size), refused);
        if (refused || scanner.ended())
            return {refused, scanner.ended(), size};
    }
    return {std::nullopt, false, bytes.size()};
}

verdict judge_in_two(std::string_view bytes, std::size_t cut)
{
    http::request_line_scanner scanner;
    outcome refused;
    scanner.scan(bytes.substr(0, cut), refused);
    if (!refused)
        scanner.scan(bytes, refused);
    return {refused, scanner.ended(), scanner.size()};
}

// Checks that it takes `needed` bytes to refuse `bytes`, however they arrive.
void check_refused(std::string_view bytes, std::size_t needed, status expected)
{
    BOOST_TEST_CONTEXT(bytes)
    {
        const auto verdict = judge_byte_by_byte(bytes);
        BOOST_TEST_REQUIRE(verdict.refused.has_value());
        BOOST_TEST((verdict.refused->status == expected), verdict.refused->problem);
        BOOST_TEST(!verdict.refused->problem.empty());
        BOOST_TEST(verdict.size == needed);
        for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
            const auto in_two = judge_in_two(bytes, cut);
            BOOST_TEST_REQUIRE(in_two.refused.has_value());
            BOOST_TEST((in_two.refused->problem == verdict.refused->problem), "cut at " << cut);
            BOOST_TEST(!in_two.ended);
        }
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(request_line_scanner)

BOOST_AUTO_TEST_CASE(a_request_line_ends_behind_its_line_feed_wherever_it_is_cut)
{
    for (const auto line : {"GET / HTTP/1.1\r\n"sv, "GET / HTTP/1.0\r\n"sv, "* * HTTP/1.1\r\n"sv,
                            "!#$%&'*+-.^_`|~09azAZ http://a/?b=\xff HTTP/1.1\r\n"sv}) {
        const auto stream = std::string(line) + "\x01 anything";
        for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
            const auto verdict = judge_in_two(stream, cut);
            BOOST_TEST(!verdict.refused);
            BOOST_TEST(verdict.ended);
            BOOST_TEST(verdict.size == line.size());
        }
        BOOST_TEST(judge_byte_by_byte(line.substr(0, line.size() - 1)).ended == false);
    }
}

BOOST_AUTO_TEST_CASE(another_protocol_is_refused_at_the_first_byte_that_is_none_of_http)
{
    check_refused("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"sv, 1, status::bad_request); // TLS
    check_refused("\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00"sv, 1, status::bad_request); // RDP
    check_refused("\x00\x00\x00\x85\xffSMB"sv, 1, status::bad_request);                      // SMB
    check_refused("SSH-2.0-OpenSSH_9.2p1\r\n"sv, 22, status::bad_request);                   // SSH
    check_refused("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"sv, 39, status::bad_request);  //
    check_refused("SSH-2.0-OpenSSH_9.2p1 Debian 2 x\r\n"sv, 30, status::bad_request);        //
    check_refused("EHLO example.org\r\n"sv, 17, status::bad_request);                        // SMTP
    check_refused("*1\r\n$4\r\nPING\r\n"sv, 3, status::bad_request);                         // Redis
    check_refused("HTTP/1.1 200 OK\r\n"sv, 5, status::bad_request);                          // an answer
    check_refused("\"quoted\""sv, 1, status::bad_request);                                   //
    check_refused(std::string(33, 'x'), 33, status::not_implemented);                        // no end
    check_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"sv, 12, status::bad_request);            // HTTP/2
}

BOOST_AUTO_TEST_CASE(a_line_of_another_shape_is_refused_at_the_byte_that_says_so)
{
    check_refused(" GET / HTTP/1.1\r\n"sv, 1, status::bad_request);
    check_refused("\r\n"sv, 1, status::bad_request);
    check_refused("G\xc3\x84T / HTTP/1.1\r\n"sv, 2, status::bad_request);
    check_refused("GET\t/ HTTP/1.1\r\n"sv, 4, status::bad_request);
    check_refused("GET  / HTTP/1.1\r\n"sv, 5, status::bad_request);
    check_refused("GET\r\n"sv, 4, status::bad_request);
    check_refused("GET \r\n"sv, 5, status::bad_request);
    check_refused("GET /\r\n"sv, 6, status::bad_request); // HTTP/0.9
    check_refused("GET / \r\n"sv, 7, status::bad_request);
    check_refused("GET /\n"sv, 6, status::bad_request);
    check_refused("GET /\t HTTP/1.1\r\n"sv, 6, status::bad_request);
    check_refused("GET /\x7f HTTP/1.1\r\n"sv, 6, status::bad_request);
    check_refused("GET /\0 HTTP/1.1\r\n"sv, 6, status::bad_request);
    check_refused("GET / x HTTP/1.1\r\n"sv, 7, status::bad_request);
    check_refused("GET / http/1.1\r\n"sv, 7, status::bad_request);
    check_refused("GET / HTTP 1.1\r\n"sv, 11, status::bad_request);
    check_refused("GET / HTTP/1.1 \r\n"sv, 15, status::bad_request);
    check_refused("GET / HTTP/1.1\n"sv, 15, status::bad_request);
    check_refused("GET / HTTP/1.1\r\r\n"sv, 16, status::bad_request);
    check_refused("GET / HTTP/11.1\r\n"sv, 13, status::bad_request);
    check_refused("GET / HTTP/1.\r\n"sv, 14, status::bad_request);
    check_refused("GET / HTTP/x.1\r\n"sv, 12, status::bad_request);
}

BOOST_AUTO_TEST_CASE(another_version_is_told_so)
{
    check_refused("GET / HTTP/0.9\r\n"sv, 12, status::http_version_not_supported);
    check_refused("GET / HTTP/1.2\r\n"sv, 14, status::http_version_not_supported);
    check_refused("GET / HTTP/2.0\r\n"sv, 12, status::http_version_not_supported);
    check_refused("GET / HTTP/3.0\r\n"sv, 12, status::http_version_not_supported);
}

BOOST_AUTO_TEST_CASE(a_character_of_a_target_is_judged_alike_wherever_it_stands)
{
    constexpr std::size_t longer_than_two_words = 21;
    for (int value = 0; value < 256; ++value)
        for (std::size_t at = 0; at != longer_than_two_words; ++at) {
            std::string target(longer_than_two_words, 'x');
            target[at] = static_cast<char>(value);
            http::request_line_scanner scanner;
            outcome refused;

            scanner.scan("GET " + target + " HTTP/1.1\r\n", refused);

            const bool is_visible = value > 0x20 && value != 0x7f;
            BOOST_TEST_REQUIRE(scanner.ended() == is_visible, "character " << value << " at " << at);
            BOOST_TEST_REQUIRE(refused.has_value() != is_visible);
        }
}

BOOST_AUTO_TEST_CASE(a_target_may_be_4_kib_long_and_no_longer)
{
    const std::string longest(http::request_line_scanner::longest_target, 'x');

    const auto accepted = judge_byte_by_byte("GET " + longest + " HTTP/1.1\r\n");

    BOOST_TEST(accepted.ended);
    check_refused("GET " + longest + "x HTTP/1.1\r\n", 4 + longest.size() + 1, status::uri_too_long);
}

BOOST_AUTO_TEST_SUITE_END()
