#include "http/response.hpp"
#include "body_of.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace http = causeway::http;
namespace json = boost::json;
namespace upstream = causeway::upstream;
using boost::beast::http::status;
using std::chrono::system_clock;
using namespace std::chrono_literals;
using namespace std::string_literals;
using namespace std::string_view_literals;

// The moment that RFC 9110 §5.6.7 takes for its example.
const system_clock::time_point example_time{784111777s};

std::string bytes_of(const http::response& response, const http::framing& framing = {},
                     system_clock::time_point now = example_time)
{
    std::string bytes;
    http::append(response, framing, http::date_line(now), bytes);
    return bytes;
}

// An answer's bytes, taken apart.
struct message {
    explicit message(const std::string& bytes)
    {
        const auto end = bytes.find("\r\n\r\n");
        BOOST_TEST_REQUIRE(end != bytes.npos, bytes);
        body = bytes.substr(end + 4);
        for (std::size_t at = 0; at < end + 2;) {
            const auto line_end = bytes.find("\r\n", at);
            fields.push_back(bytes.substr(at, line_end - at));
            at = line_end + 2;
        }
        status_line = fields.front();
        fields.erase(fields.begin());
    }

    // The values of all fields of this name.
    std::vector<std::string> values(std::string_view name) const
    {
        const auto start = std::string(name) + ": ";
        std::vector<std::string> values;
        for (const auto& field : fields)
            if (field.starts_with(start))
                values.push_back(field.substr(start.size()));
        return values;
    }

    // The value of the only field of this name.
    std::string value(std::string_view name) const
    {
        const auto found = values(name);
        BOOST_TEST_REQUIRE(found.size() == 1U, name << " is there " << found.size() << " times");
        return found.front();
    }

    std::string status_line;
    std::vector<std::string> fields;
    std::string body;
};

// Every answer that there is.
std::vector<http::response> all_answers()
{
    return {http::found("Code 404: Not Found, used when …\n"),
            http::failed(upstream::failure::timed_out),
            http::failed(upstream::failure::unavailable),
            http::failed(upstream::failure::overloaded),
            http::bad_request("this is \"wrong\""),
            http::not_found(),
            http::method_not_allowed(),
            http::refused(status::payload_too_large, "too much")};
}

// The text in the body of a 200.
std::string data_in(const http::response& response)
{
    const auto value = json::parse(body_of(response));
    BOOST_TEST(value.as_object().size() == 1U);
    return std::string(value.at("data").as_string());
}

std::string error_in(const http::response& response)
{
    const auto value = json::parse(body_of(response));
    BOOST_TEST(value.as_object().size() == 1U);
    return std::string(value.at("error").as_string());
}

} // namespace

BOOST_AUTO_TEST_SUITE(response)

BOOST_AUTO_TEST_CASE(the_bytes_of_an_answer_are_exactly_these)
{
    const auto bytes = bytes_of(http::found("Code 404: Not Found\n"), {.version = 11, .keep_alive = true});

    BOOST_TEST(bytes == "HTTP/1.1 200 OK\r\n"
                        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                        "Content-Type: application/json\r\n"
                        "Content-Length: 32\r\n"
                        "\r\n"
                        "{\"data\":\"Code 404: Not Found\\n\"}");
}

BOOST_AUTO_TEST_CASE(an_answer_is_appended_to_what_was_there_before)
{
    std::string output = "before";

    http::append(http::not_found(), {}, http::date_line(example_time), output);
    http::append(http::found("x"), {}, http::date_line(example_time), output);

    BOOST_TEST(output == "before" + bytes_of(http::not_found()) + bytes_of(http::found("x")));
}

BOOST_AUTO_TEST_CASE(the_status_line_has_the_version_the_status_and_its_reason)
{
    const auto status_line = [](const http::response& response) { return message(bytes_of(response)).status_line; };

    BOOST_TEST(status_line(http::found("x")) == "HTTP/1.1 200 OK");
    BOOST_TEST(status_line(http::bad_request("x")) == "HTTP/1.1 400 Bad Request");
    BOOST_TEST(status_line(http::not_found()) == "HTTP/1.1 404 Not Found");
    BOOST_TEST(status_line(http::method_not_allowed()) == "HTTP/1.1 405 Method Not Allowed");
    BOOST_TEST(status_line(http::failed(upstream::failure::timed_out)) == "HTTP/1.1 504 Gateway Timeout");
    BOOST_TEST(status_line(http::failed(upstream::failure::unavailable)) == "HTTP/1.1 503 Service Unavailable");
    BOOST_TEST(status_line(http::failed(upstream::failure::overloaded)) == "HTTP/1.1 503 Service Unavailable");
}

BOOST_AUTO_TEST_CASE(every_answer_is_json_with_its_length_and_a_date)
{
    for (const auto& answer : all_answers()) {
        const message message(bytes_of(answer));

        BOOST_TEST_CONTEXT(message.status_line)
        {
            BOOST_TEST(message.value("Content-Type") == "application/json");
            BOOST_TEST(message.value("Content-Length") == std::to_string(message.body.size()));
            BOOST_TEST(message.value("Date") == "Sun, 06 Nov 1994 08:49:37 GMT");
            BOOST_TEST(message.body == body_of(answer));
            BOOST_TEST(json::parse(message.body).is_object());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_length_counts_bytes)
{
    const message message(bytes_of(http::found("…")));

    BOOST_TEST(message.body == "{\"data\":\"…\"}");
    BOOST_TEST(message.value("Content-Length") == "14");
}

BOOST_AUTO_TEST_CASE(a_date_has_the_form_of_http)
{
    const auto date = [](system_clock::time_point now) {
        return message(bytes_of(http::not_found(), {}, now)).value("Date");
    };

    BOOST_TEST(date(system_clock::time_point(0s)) == "Thu, 01 Jan 1970 00:00:00 GMT");
    BOOST_TEST(date(system_clock::time_point(951782399s)) == "Mon, 28 Feb 2000 23:59:59 GMT");
    BOOST_TEST(date(system_clock::time_point(951782400s)) == "Tue, 29 Feb 2000 00:00:00 GMT");
    BOOST_TEST(date(system_clock::time_point(4102444800s)) == "Fri, 01 Jan 2100 00:00:00 GMT");
    BOOST_TEST(date(example_time + 999ms) == "Sun, 06 Nov 1994 08:49:37 GMT");
}

BOOST_AUTO_TEST_CASE(every_day_and_month_has_its_short_english_name)
{
    std::string days;
    std::string months;
    for (int number = 0; number < 12; ++number) {
        // From Thursday, 1 January 1970, in steps of 31 days, which meet every month in that year.
        const auto date =
            message(bytes_of(http::not_found(), {}, system_clock::time_point(number * 31 * 24h))).value("Date");
        days += date.substr(0, 3);
        months += date.substr(8, 3);
    }

    BOOST_TEST(days == "ThuSunWedSatTueFriMonThuSunWedSatTue");
    BOOST_TEST(months == "JanFebMarAprMayJunJulAugSepOctNovDec");
}

BOOST_AUTO_TEST_CASE(the_answer_to_head_is_the_head_of_the_answer_to_get)
{
    for (const auto& answer : all_answers()) {
        const auto to_get = bytes_of(answer, {.keep_alive = true, .head_only = false});

        const auto to_head = bytes_of(answer, {.keep_alive = true, .head_only = true});

        BOOST_TEST(to_head + body_of(answer) == to_get);
        BOOST_TEST(to_head.ends_with("\r\n\r\n"));
    }
}

BOOST_AUTO_TEST_CASE(connection_says_what_the_client_would_not_assume)
{
    const auto connection = [](unsigned version, bool keep_alive) {
        return message(bytes_of(http::not_found(), {version, keep_alive})).values("Connection");
    };
    using values = std::vector<std::string>;

    BOOST_TEST(connection(11, true) == values{});
    BOOST_TEST(connection(11, false) == values{"close"});
    BOOST_TEST(connection(10, true) == values{"keep-alive"});
    BOOST_TEST(connection(10, false) == values{"close"});
}

BOOST_AUTO_TEST_CASE(the_other_fields_are_the_same_on_every_connection)
{
    for (const auto& answer : all_answers()) {
        auto expected = message(bytes_of(answer, {.version = 11, .keep_alive = true}));
        for (const unsigned version : {10U, 11U})
            for (const bool keep_alive : {false, true}) {
                auto message = ::message(bytes_of(answer, {version, keep_alive}));
                std::erase_if(message.fields, [](const auto& field) { return field.starts_with("Connection: "); });

                BOOST_TEST(message.status_line == expected.status_line);
                BOOST_TEST(message.fields == expected.fields, boost::test_tools::per_element());
                BOOST_TEST(message.body == expected.body);
            }
    }
}

BOOST_AUTO_TEST_CASE(trying_again_is_advised_exactly_while_the_upstream_is_down_or_too_busy)
{
    const auto advice = [](const http::response& response) {
        return message(bytes_of(response)).values("Retry-After");
    };

    for (const auto failure : {upstream::failure::unavailable, upstream::failure::overloaded}) {
        const auto seconds = advice(http::failed(failure));
        BOOST_TEST_REQUIRE(seconds.size() == 1U);
        BOOST_TEST(std::stoi(seconds.front()) >= 1, seconds.front());
        BOOST_TEST(seconds.front().find_first_not_of("0123456789") == std::string::npos, seconds.front());
    }
    for (const auto& other : {http::found("x"), http::failed(upstream::failure::timed_out), http::bad_request("x"),
                              http::not_found(), http::method_not_allowed()})
        BOOST_TEST(advice(other).empty());
}

BOOST_AUTO_TEST_CASE(the_answer_to_a_wrong_method_names_the_right_ones)
{
    BOOST_TEST(message(bytes_of(http::method_not_allowed())).value("Allow") == "GET, HEAD");
    BOOST_TEST(message(bytes_of(http::not_found())).values("Allow").empty());
}

BOOST_AUTO_TEST_CASE(the_bodies_of_failures_are_fixed)
{
    BOOST_TEST(body_of(http::failed(upstream::failure::timed_out)) == R"({"error":"timedout"})");
    BOOST_TEST(body_of(http::failed(upstream::failure::unavailable)) == R"({"error":"unavailable"})");
    BOOST_TEST(body_of(http::failed(upstream::failure::overloaded)) == R"({"error":"overloaded"})");
    BOOST_TEST(body_of(http::not_found()) == R"({"error":"not found"})");
}

BOOST_AUTO_TEST_CASE(a_refusal_has_the_given_status_and_says_the_problem)
{
    const auto refused = http::refused(status::payload_too_large, "more than \"enough\"");

    BOOST_TEST((refused.status == status::payload_too_large));
    BOOST_TEST(error_in(refused) == "more than \"enough\"");
    BOOST_TEST((http::bad_request("x").status == status::bad_request));
    BOOST_TEST(error_in(http::bad_request("no\ngood")) == "no\ngood");
}

BOOST_AUTO_TEST_CASE(a_reply_is_data_with_its_line_feed)
{
    const auto found = http::found("Code 404: Not Found, used when …\n");

    BOOST_TEST((found.status == status::ok));
    BOOST_TEST(body_of(found) == "{\"data\":\"Code 404: Not Found, used when …\\n\"}");
}

BOOST_AUTO_TEST_CASE(an_upstreams_answer_is_its_reply_or_its_failure)
{
    const auto bytes = [](upstream::outcome answer) { return bytes_of(http::answered(std::move(answer))); };

    BOOST_TEST(bytes("Code 404: Not Found\n") == bytes_of(http::found("Code 404: Not Found\n")));
    for (const auto failure :
         {upstream::failure::timed_out, upstream::failure::unavailable, upstream::failure::overloaded})
        BOOST_TEST(bytes(failure) == bytes_of(http::failed(failure)));
}

BOOST_AUTO_TEST_CASE(what_json_needs_escaped_is_escaped)
{
    BOOST_TEST(body_of(http::found("\"xyz\"")) == R"({"data":"\"xyz\""})");
    BOOST_TEST(body_of(http::found("a\\b")) == R"({"data":"a\\b"})");
    BOOST_TEST(body_of(http::found("\r\n\t\b\f")) == R"({"data":"\r\n\t\b\f"})");
    BOOST_TEST(body_of(http::found("\0\x01\x1f"s)) == R"({"data":"\u0000\u0001\u001f"})");
    BOOST_TEST(body_of(http::found("</script>'&")) == R"({"data":"</script>'&"})");
    BOOST_TEST(body_of(http::found("")) == R"({"data":""})");
}

BOOST_AUTO_TEST_CASE(every_ascii_character_comes_back_when_the_json_is_parsed)
{
    for (int value = 0; value < 128; ++value) {
        const std::string line = "Code 404: " + std::string(1, static_cast<char>(value)) + "\n";

        BOOST_TEST(data_in(http::found(line)) == line, "character " << value);
    }
}

BOOST_AUTO_TEST_CASE(utf_8_stays_as_it_is)
{
    for (const auto line : {"\u00e9"sv, "\u07ff"sv, "\u0800"sv, "\uffff"sv, "\U00010000"sv, "\U0010ffff"sv, "\u2028"sv,
                            "\ufffd"sv, "déjà vu … 彩虹 🌈"sv})
        BOOST_TEST(data_in(http::found(std::string(line))) == line);
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_utf_8_are_replaced_and_the_others_stay)
{
    BOOST_TEST(data_in(http::found("a\xff"
                                   "b\n")) == "a\ufffdb\n");
    BOOST_TEST(data_in(http::found("caf\xe9 404")) == "caf\ufffd 404");
    BOOST_TEST(data_in(http::found("\x80")) == "\ufffd");
    BOOST_TEST(data_in(http::found("é\xc3")) == "é\ufffd");
    BOOST_TEST(data_in(http::found("\xff\"\xfe")) == "\ufffd\"\ufffd");
}

BOOST_AUTO_TEST_CASE(no_byte_that_is_not_utf_8_gets_out)
{
    const auto broken = std::to_array<std::string_view>({
        "\xc0\x80"sv,         // overlong
        "\xe0\x80\x80"sv,     // overlong
        "\xf0\x80\x80\x80"sv, // overlong
        "\xed\xa0\x80"sv,     // half of a surrogate pair
        "\xed\xbf\xbf"sv,     // the other half
        "\xf4\x90\x80\x80"sv, // above U+10FFFF
        "\xf8\x88\x80\x80\x80"sv,
        "\xc3"sv,         // cut off
        "\xe2\x80"sv,     // cut off
        "\xf0\x9f\x8c"sv, // cut off
        "\xbf\xbf"sv,     // continues nothing
        "\xfe\xff"sv,
    });
    for (const auto bytes : broken)
        for (const auto after : {""sv, "x"sv, "\n"sv, "é"sv}) {
            const auto line = "Code 404: " + std::string(bytes) + std::string(after);

            const auto data = data_in(http::found(line));

            BOOST_TEST(data.starts_with("Code 404: \ufffd"), data);
            BOOST_TEST(data.ends_with(after), data);
        }
}

BOOST_AUTO_TEST_CASE(any_bytes_make_valid_json)
{
    constexpr unsigned seed = 1;
    std::mt19937 random(seed);
    constexpr auto often = "\xc3\xa9\xe2\x80\xa6\xf0\x9f\x8c\x88\"\\\n{}\xff\xed\xa0"sv;
    for (int times = 0; times < 5000; ++times) {
        std::string line;
        for (auto length = random() % 24; length > 0; --length)
            line += random() % 2 == 0 ? static_cast<char>(random() % 256) : often[random() % often.size()];

        const auto body = body_of(http::found(line));

        boost::system::error_code error;
        const auto value = json::parse(body, error);
        BOOST_TEST_REQUIRE(!error, "seed " << seed << ", round " << times << ": " << body);
        BOOST_TEST(value.at("data").is_string());
    }
}

BOOST_AUTO_TEST_SUITE_END()
