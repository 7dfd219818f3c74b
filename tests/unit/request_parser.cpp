#include "http/request_parser.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using boost::beast::http::status;
using namespace std::string_view_literals;
namespace http = causeway::http;
using http::request_state;

// A connection's input that arrives in pieces, and a parser that reads it as a session does.
struct reader {
    explicit reader(http::body_use use = http::body_use::ignored)
        : parser(request, use)
    {
    }

    request_state read(std::string_view piece)
    {
        input += piece;
        input.erase(0, parser.read(input));
        return parser.state();
    }

    http::request request;
    http::request_parser parser;
    std::string input;
};

std::optional<status> refusal_of(std::string_view bytes)
{
    reader whole;
    if (whole.read(bytes) != request_state::refused)
        return std::nullopt;
    return whole.parser.reason().status;
}

std::string with_host(std::string_view value)
{
    return std::string("GET / HTTP/1.1\r\nHost: ").append(value).append("\r\n\r\n");
}

// Keeps the fields too.
http::request read_with_fields(std::string_view bytes)
{
    http::request request;
    http::request_parser parser(request, http::body_use::ignored, true);
    parser.read(bytes);
    BOOST_TEST_REQUIRE((parser.state() == request_state::complete), bytes);
    return request;
}

http::request read_whole(std::string_view bytes)
{
    reader whole(http::body_use::kept);
    BOOST_TEST_REQUIRE((whole.read(bytes) == request_state::complete), bytes);
    return std::move(whole.request);
}

} // namespace

BOOST_AUTO_TEST_SUITE(request_parser)

BOOST_AUTO_TEST_CASE(a_request_is_complete_with_its_last_byte_and_not_before)
{
    for (const auto bytes : {"GET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv,
                             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n12"sv,
                             "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"sv})
        for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
            reader client;

            const auto before = client.read(bytes.substr(0, cut));
            const auto after = client.read(std::string(bytes.substr(cut)) + "GET");

            BOOST_TEST((before == request_state::needs_more), bytes << " cut at " << cut);
            BOOST_TEST((after == request_state::complete), bytes << " cut at " << cut);
            BOOST_TEST(client.input == "GET");
        }
}

BOOST_AUTO_TEST_CASE(one_empty_line_before_a_request_is_none_of_it_and_a_second_is_refused)
{
    reader client;
    for (const auto byte : {"\r"sv, "\n"sv}) {
        BOOST_TEST((client.read(byte) == request_state::needs_more));
        BOOST_TEST(!client.parser.begun());
    }
    BOOST_TEST(client.input.empty());
    BOOST_TEST((client.read("\r") == request_state::refused));
    BOOST_TEST((client.parser.reason().status == status::bad_request));

    reader other;
    BOOST_TEST((other.read("\r\n") == request_state::needs_more));
    BOOST_TEST((other.read("\r\n") == request_state::refused));

    BOOST_TEST((refusal_of("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") == status::bad_request));
    BOOST_TEST((refusal_of("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n") == status::bad_request));
    BOOST_TEST((refusal_of("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") == status::bad_request));
    BOOST_TEST((refusal_of("\r\n GET / HTTP/1.1\r\nHost: a\r\n\r\n") == status::bad_request));
}

BOOST_AUTO_TEST_CASE(a_request_has_begun_with_its_first_byte)
{
    reader client;
    client.read("\r\n");
    BOOST_TEST(!client.parser.begun());
    client.read("G");
    BOOST_TEST(client.parser.begun());
}

BOOST_AUTO_TEST_CASE(a_request_that_needs_more_can_be_ended_or_refused_from_outside_and_another_cannot)
{
    reader half;
    half.read("GET / HT");
    half.parser.end();
    BOOST_TEST((half.parser.state() == request_state::ended));

    reader slow;
    slow.read("GET / HT");
    slow.parser.refuse({status::request_timeout, "too slow"});
    BOOST_TEST((slow.parser.state() == request_state::refused));
    BOOST_TEST((slow.parser.reason().status == status::request_timeout));

    reader whole;
    whole.read("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    whole.parser.end();
    whole.parser.refuse({status::request_timeout, "too slow"});
    BOOST_TEST((whole.parser.state() == request_state::complete));
}

BOOST_AUTO_TEST_CASE(a_host_is_a_name_or_an_address_with_or_without_a_port)
{
    for (const auto host : {"a"sv, "example.org"sv, "example.org:80"sv, "127.0.0.1:8090"sv, ""sv, ":80"sv, "a:"sv,
                            "[::1]"sv, "[::1]:8090"sv, "[v1.x]:1"sv, "%61b"sv, "a-b_c~d!$&'()*+,;=e"sv})
        BOOST_TEST(!refusal_of(with_host(host)), host);

    for (const auto host :
         {"a b"sv,   "a/b"sv, "u@a"sv,    "u:p@a"sv,   "u@[::1]"sv, "@"sv,        "%61@b"sv, "a:x"sv, "a:80x"sv,
          "a:8:0"sv, "a?b"sv, "a#b"sv,    "a\\b"sv,    "a\"b"sv,    "a\xe4"sv,    "%6"sv,    "%zz"sv, "a%"sv,
          "[::1"sv,  "::1"sv, "[::1]x"sv, "[::1]:x"sv, "[x]"sv,     "http://a"sv, "a, b:c"sv})
        BOOST_TEST((refusal_of(with_host(host)) == status::bad_request), host);

    BOOST_TEST((refusal_of("GET / HTTP/1.0\r\nHost: a b\r\n\r\n") == status::bad_request));
}

BOOST_AUTO_TEST_CASE(to_close_wins_over_to_stay_in_any_order)
{
    const auto stays = [](const std::string& version, const std::string& fields) {
        return read_whole("GET / HTTP/" + version + "\r\nHost: a\r\n" + fields + "\r\n").keep_alive;
    };
    for (const std::string version : {"1.0", "1.1"}) {
        BOOST_TEST(stays(version, "Connection: keep-alive\r\n"));
        for (const std::string fields :
             {"Connection: close\r\n", "Connection: keep-alive, close\r\n", "Connection: close, keep-alive\r\n",
              "Connection: ,keep-alive,, CLOSE\r\n", "Connection: keep-alive\r\nConnection: close\r\n",
              "Connection: close\r\nConnection: keep-alive\r\n", "Connection: x\r\nConnection: Close, y\r\n"})
            BOOST_TEST(!stays(version, fields), version << ": " << fields);
    }
    BOOST_TEST(stays("1.1", ""));
    BOOST_TEST(!stays("1.0", ""));
    BOOST_TEST(stays("1.0", "Connection: x, keep-alive, closely\r\n"));
}

// A proxy that does not know the field passes it on to a server that does not know which client sent it.
BOOST_AUTO_TEST_CASE(what_a_client_wants_of_a_proxy_keeps_no_connection_of_http_1_0_open)
{
    const auto stays = [](const std::string& fields) {
        return read_whole("GET / HTTP/1.0\r\n" + fields + "\r\n").keep_alive;
    };
    BOOST_TEST(!stays("Proxy-Connection: keep-alive\r\n"));
    BOOST_TEST(!stays("Proxy-Connection: keep-alive\r\nConnection: x\r\n"));
    BOOST_TEST(stays("Connection: Keep-Alive\r\nProxy-Connection: close\r\n"));
    BOOST_TEST(stays("Connection: x\r\nConnection: keep-alive\r\n"));
}

BOOST_AUTO_TEST_CASE(a_length_that_is_there_twice_is_refused_also_within_one_field)
{
    for (const std::string fields :
         {"Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5, 5\r\n", "Content-Length: 5,5\r\n",
          "Content-Length: 5,\r\n", "Content-Length: ,5\r\n", "Content-Length: 5, 6\r\n"})
        BOOST_TEST((refusal_of("POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n12345") == status::bad_request),
                   fields);
}

BOOST_AUTO_TEST_CASE(the_only_transfer_encoding_is_chunked_in_any_case_and_http_1_0_has_none)
{
    const auto encoded = [](std::string_view version, std::string_view encoding) {
        return std::string("POST / HTTP/")
                   .append(version)
                   .append("\r\nHost: a\r\nTransfer-Encoding: ")
                   .append(encoding) +
               "\r\n\r\n0\r\n\r\n";
    };
    BOOST_TEST(!refusal_of(encoded("1.1", "chunked")).has_value());
    BOOST_TEST(!refusal_of(encoded("1.1", "Chunked")).has_value());
    BOOST_TEST((refusal_of(encoded("1.1", "gzip, chunked")) == status::not_implemented));
    BOOST_TEST((refusal_of(encoded("1.0", "chunked")) == status::bad_request));
}

BOOST_AUTO_TEST_CASE(an_expectation_is_met_once_and_only_while_more_is_needed)
{
    reader client;
    client.read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n");
    BOOST_TEST(!client.parser.take_expectation());
    client.read("\r\n");
    BOOST_TEST(client.parser.take_expectation());
    client.read("1");
    BOOST_TEST(!client.parser.take_expectation());

    reader whole;
    whole.read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n12");
    BOOST_TEST(!whole.parser.take_expectation());
}

// RFC 9110 §10.1.1
BOOST_AUTO_TEST_CASE(another_expectation_is_refused_and_one_of_http_1_0_means_nothing)
{
    BOOST_TEST((refusal_of("GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n") == status::expectation_failed));
    BOOST_TEST(!refusal_of("GET / HTTP/1.0\r\nExpect: tea\r\n\r\n").has_value());

    reader client;
    client.read("POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    BOOST_TEST(!client.parser.take_expectation());
}

BOOST_AUTO_TEST_CASE(http_1_1_needs_one_host)
{
    BOOST_TEST((refusal_of("GET / HTTP/1.1\r\n\r\n") == status::bad_request));
    BOOST_TEST((refusal_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n") == status::bad_request));
    BOOST_TEST(!refusal_of("GET / HTTP/1.0\r\n\r\n").has_value());
}

BOOST_AUTO_TEST_CASE(a_body_may_be_64_kib_long_and_no_longer)
{
    const auto of_length = [](std::size_t length) {
        return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
    };
    BOOST_TEST(!refusal_of(of_length(64 * 1024)).has_value());
    BOOST_TEST((refusal_of(of_length(64 * 1024 + 1)) == status::payload_too_large));
}

BOOST_AUTO_TEST_CASE(a_head_may_be_8_kib_long_and_no_longer_in_whatever_pieces_its_fields_come)
{
    const std::string begin = "GET / HTTP/1.1\r\nHost: a\r\n";
    const auto last_field = [&](std::size_t size) { return "X: " + std::string(size - 7, 'x') + "\r\n\r\n"; };
    const std::string field = "X: y\r\n";
    std::string fields;
    while (begin.size() + fields.size() < http::request_parser::longest_head - 100)
        fields += field;
    const auto left = http::request_parser::longest_head - begin.size() - fields.size();

    BOOST_TEST(!refusal_of(begin + fields + last_field(left)));
    BOOST_TEST((refusal_of(begin + fields + last_field(left + 1)) == status::request_header_fields_too_large));

    reader client;
    auto state = client.read(begin);
    std::size_t size = begin.size();
    for (; state == request_state::needs_more && size <= http::request_parser::longest_head; size += field.size())
        state = client.read(field);
    BOOST_TEST((state == request_state::refused));
    BOOST_TEST((client.parser.reason().status == status::request_header_fields_too_large));
}

BOOST_AUTO_TEST_CASE(a_body_is_kept_where_it_is_wanted_wherever_it_is_cut)
{
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\n";
    for (const auto& bytes :
         {head + "Content-Length: 5\r\n\r\n12345",
          head + "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\n12\r\n3\r\n345\r\n0\r\nTrailer: z\r\n\r\n"})
        for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
            reader keeping(http::body_use::kept);
            keeping.read(bytes.substr(0, cut));
            if (cut != bytes.size())
                keeping.read(bytes.substr(cut));
            BOOST_TEST((keeping.parser.state() == request_state::complete));
            BOOST_TEST(keeping.request.body == "12345");
        }

    reader ignoring;
    ignoring.read(head + "Content-Length: 5\r\n\r\n12345");
    BOOST_TEST((ignoring.parser.state() == request_state::complete));
    BOOST_TEST(ignoring.request.body.empty());
}

BOOST_AUTO_TEST_CASE(what_was_kept_of_a_request_is_not_left_in_the_next)
{
    http::request request;
    for (const auto bytes :
         {"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n12345"sv,
          "GET / HTTP/1.1\r\nHost: a\r\n\r\n"sv}) {
        const bool posts = bytes.starts_with('P');
        http::request_parser parser(request, http::body_use::kept);
        parser.read(bytes);
        BOOST_TEST(request.body == (posts ? "12345" : ""));
        BOOST_TEST(request.content_type == (posts ? "text/plain" : ""));
    }
}

BOOST_AUTO_TEST_CASE(more_than_one_content_type_is_a_list)
{
    const auto request =
        read_whole("POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Type:  a/b \r\n\r\n");

    BOOST_TEST(request.content_type == "text/plain, a/b");
}

BOOST_AUTO_TEST_CASE(fields_are_kept_for_whoever_wants_them_and_found_by_a_name_in_any_case)
{
    constexpr auto bytes = "GET / HTTP/1.1\r\nHost: a:1\r\norigin:  http://a:1 \r\nX-Own: 1\r\nx-own: 2\r\n\r\n"sv;
    const auto request = read_with_fields(bytes);
    BOOST_TEST(request.fields.size() == 4U);
    BOOST_TEST(request.field("host") == "a:1");
    BOOST_TEST(request.field("Origin") == "http://a:1");
    BOOST_TEST(request.field("X-OWN") == "1");
    BOOST_TEST(request.field("Accept").empty());
    BOOST_TEST(read_whole(bytes).fields.empty());
}

BOOST_AUTO_TEST_CASE(the_fields_of_a_request_are_none_of_the_next)
{
    http::request request;
    for (const auto host : {"one"sv, "two"sv}) {
        http::request_parser parser(request, http::body_use::ignored, true);
        parser.read(with_host(host));
        BOOST_TEST(request.field("Host") == host);
    }
}

BOOST_AUTO_TEST_SUITE_END()
