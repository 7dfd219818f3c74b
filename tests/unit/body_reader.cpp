#include "http/body_reader.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using boost::beast::http::status;
namespace http = causeway::http;

using outcome = std::optional<http::refusal>;

// What follows a body on the same connection.
constexpr std::string_view next_request = "GET / HTTP/1.1\r\n";

http::body_reader chunks()
{
    http::body_reader body;
    body.expect_chunks();
    return body;
}

http::body_reader content_of(std::uint64_t length)
{
    http::body_reader body;
    body.expect_content(length);
    return body;
}

// Passes `bytes`, including what follows them, as two pieces. Returns how many of them the body took.
std::size_t read(http::body_reader& body, std::string_view bytes, std::size_t cut, outcome& refused)
{
    const auto first = body.read(bytes.substr(0, cut), refused);
    if (first < cut)
        return first;
    return first + body.read(bytes.substr(cut), refused);
}

void check_ends(const http::body_reader& announced, std::string_view bytes)
{
    const auto stream = std::string(bytes).append(next_request);
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        auto body = announced;
        outcome refused;
        BOOST_TEST(read(body, stream, cut, refused) == bytes.size(), "cut at " << cut);
        BOOST_TEST(body.ended());
        BOOST_TEST(!refused);
    }
}

void check_refused(std::string_view bytes, status expected)
{
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        auto body = chunks();
        outcome refused;
        read(body, bytes, cut, refused);
        BOOST_TEST(!body.ended());
        BOOST_REQUIRE(refused);
        BOOST_TEST((refused->status == expected), "cut at " << cut << ": " << refused->problem);
    }
}

void check_refused(const std::vector<std::string>& streams, status expected)
{
    for (const auto& bytes : streams) {
        BOOST_TEST_CONTEXT(bytes)
        check_refused(bytes, expected);
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(body_reader)

BOOST_AUTO_TEST_CASE(without_an_announcement_there_is_none)
{
    check_ends(http::body_reader(), "");
    check_ends(content_of(0), "");
}

BOOST_AUTO_TEST_CASE(content_ends_after_its_length) { check_ends(content_of(5), "GET /"); }

BOOST_AUTO_TEST_CASE(chunks_end_with_an_empty_one_wherever_the_bytes_are_cut)
{
    const std::vector<std::string_view> bodies{
        "0\r\n\r\n",
        "000\r\n\r\n",
        "5\r\nGET /\r\n0\r\n\r\n",
        "2\r\n\r\n\r\n00A\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n",           // what looks like an end within a chunk
        "1;a=b;c\r\nx\r\n1 ; a\r\nx\r\n0;last\r\n\r\n",                  // extensions
        "1;x=\"0\\\";\xff\"\r\nx\r\n0;x=\"\"\r\n\r\n",                   // quoted
        "0\r\nTrailer: one\r\nContent-Length: 7\r\nHost: other\r\n\r\n", // trailers change nothing
    };
    for (const auto bytes : bodies) {
        BOOST_TEST_CONTEXT(bytes)
        check_ends(chunks(), bytes);
    }
}

BOOST_AUTO_TEST_CASE(chunks_that_can_be_read_in_two_ways_are_refused_wherever_they_are_cut)
{
    check_refused(
        {
            "\r\n",                        // no size
            "x\r\n",                       //
            "-1\r\n",                      //
            "+1\r\n",                      //
            " 1\r\n",                      //
            ";a\r\n",                      //
            "0x1\r\n",                     // another notation
            "1 \r\n",                      // space without an extension
            "1,1\r\n",                     //
            "1\nx",                        // bare LF
            "1;a\nx",                      //
            "1;a\rb\r\n",                  // bare CR
            "1;x=\"\r\nx\r\n0\r\n\r\n",    // quotes that do not end with the line
            "0;x=\"\\\"\r\n\r\n",          //
            "0\r\nGET / HTTP/1.1\r\n\r\n", // a trailer that is no field
            "0\r\nHost : x\r\n\r\n",       //
            "0\r\n: x\r\n\r\n",            //
            "0\r\nA(: b\r\n\r\n",          //
            "0\r\n\xe9: b\r\n\r\n",        //
            "1;\"\n\"\r\nx\r\n0\r\n\r\n",  // also in quotes
            "1;\x01\r\n",                  // control bytes
            "1\r\nx\r\n1;a\nx",            // in a later chunk
            "1\r\nx\r\n0\r\nA: b\nc\r\n\r\n",
            "2\r\nxyz\r\n",                  // a chunk of another length
            "2\r\nxy0\r\n\r\n",              //
            "2\r\nx\r\n0\r\n\r\n",           //
            "2\r\nxy\n0\r\n\r\n",            //
            "0\r\nTrailer: a\nb\r\n\r\n",    // bare LF in a trailer
            "0\r\nTrailer: one\r\n two\r\n", // obs-fold
            "0\r\n \r\n",                    //
            "0\r\n\x7f\r\n",                 //
        },
        status::bad_request);
}

BOOST_AUTO_TEST_CASE(what_is_in_a_body_is_appended_where_it_is_wanted_wherever_it_is_cut)
{
    const std::string in_chunks = "1;a=b\r\nG\r\n004\r\nET /\r\n0;c\r\nTrailer: x\r\n\r\n";
    for (const bool chunked : {false, true}) {
        const auto bytes = std::string(chunked ? in_chunks : "GET /").append(next_request);
        for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
            std::string content = "before ";
            http::body_reader body(&content);
            chunked ? body.expect_chunks() : body.expect_content(5);
            outcome refused;
            read(body, bytes, cut, refused);
            BOOST_TEST(body.ended());
            BOOST_TEST(content == "before GET /", "cut at " << cut);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_body_may_be_64_kib_long_and_no_longer)
{
    outcome refused;
    auto content = content_of(http::body_reader::longest);
    const auto longest = std::string(http::body_reader::longest, 'x');
    BOOST_TEST(content.read(longest + "GET", refused) == longest.size());
    BOOST_TEST(content.ended());

    const auto half = "8000\r\n" + std::string(0x8000, 'x') + "\r\n";
    auto chunked = chunks();
    chunked.read(half + half + "0\r\n\r\n", refused);
    BOOST_TEST(chunked.ended());
    BOOST_TEST(!refused);
    chunked = chunks();
    chunked.read(half + half + "1\r\n", refused);
    BOOST_REQUIRE(refused);
    BOOST_TEST((refused->status == status::payload_too_large));
    check_refused({"10001\r\n", "ffffffffffffffff\r\n", "fffffffffffffffffffffffffffffffffffffff\r\n"},
                  status::payload_too_large);
}

BOOST_AUTO_TEST_CASE(extensions_and_trailers_may_not_go_on_for_ever)
{
    const std::string long_text(http::body_reader::longest_extras / 2, 'x');
    for (const auto& endless : {"1;" + long_text + long_text, "1;" + long_text + "\r\nx\r\n1;" + long_text,
                                "0\r\n" + long_text + ":\r\n" + long_text}) {
        auto body = chunks();
        outcome refused;
        body.read(endless, refused);
        BOOST_REQUIRE(refused);
        BOOST_TEST((refused->status == status::bad_request));
    }
}

BOOST_AUTO_TEST_SUITE_END()
