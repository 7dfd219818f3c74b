#include "http/response.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace http = causeway::http;
namespace json = boost::json;
using boost::beast::http::status;
using std::chrono::system_clock;
using namespace std::chrono_literals;
using namespace std::string_literals;

// The time in the example of RFC 9110 §5.6.7.
const system_clock::time_point example_time{784111777s};

std::string bytes_of(const http::response& response, const http::framing& framing = {},
                     system_clock::time_point now = example_time)
{
    std::string bytes;
    http::append(response, framing, http::date_line(now), bytes);
    return bytes;
}

// An answer's bytes, parsed.
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

http::response found(std::string body) { return {.body = std::move(body)}; }

http::response not_found() { return http::refused(status::not_found, "not found"); }

// One of each kind.
std::vector<http::response> all_answers()
{
    return {found(R"({"data":"Code 404: Not Found, used when …\n"})"),
            not_found(),
            http::refused(status::bad_request, "this is \"wrong\""),
            {.status = status::service_unavailable,
             .content_type = "text/plain; charset=utf-8",
             .fields = "Retry-After: 1\r\nAllow: GET\r\n",
             .body = "come back"},
            {.content_type = "application/octet-stream", .body = "\0\r\n\r\n\xff"s}};
}

std::string error_in(const http::response& response)
{
    const auto value = json::parse(response.body);
    BOOST_TEST(value.as_object().size() == 1U);
    return std::string(value.at("error").as_string());
}

} // namespace

BOOST_AUTO_TEST_SUITE(response)

BOOST_AUTO_TEST_CASE(the_bytes_of_an_answer_are_exactly_these)
{
    const auto bytes = bytes_of(found(R"({"data":"Code 404: Not Found\n"})"), {.version = 11, .keep_alive = true});

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

    http::append(not_found(), {}, http::date_line(example_time), output);
    http::append(found("x"), {}, http::date_line(example_time), output);

    BOOST_TEST(output == "before" + bytes_of(not_found()) + bytes_of(found("x")));
}

BOOST_AUTO_TEST_CASE(the_status_line_has_the_version_the_status_and_its_reason)
{
    const auto status_line = [](const http::response& response) { return message(bytes_of(response)).status_line; };

    BOOST_TEST(status_line(found("x")) == "HTTP/1.1 200 OK");
    for (const auto& [status, line] : {std::pair(status::bad_request, "HTTP/1.1 400 Bad Request"),
                                       std::pair(status::not_found, "HTTP/1.1 404 Not Found"),
                                       std::pair(status::method_not_allowed, "HTTP/1.1 405 Method Not Allowed"),
                                       std::pair(status::gateway_timeout, "HTTP/1.1 504 Gateway Timeout"),
                                       std::pair(status::service_unavailable, "HTTP/1.1 503 Service Unavailable")})
        BOOST_TEST(status_line(http::refused(status, "x")) == line);
}

BOOST_AUTO_TEST_CASE(a_status_without_a_name_has_an_empty_reason)
{
    BOOST_TEST(message(bytes_of({.status = static_cast<status>(299)})).status_line == "HTTP/1.1 299 ");
}

// RFC 9110 §8.6, §15.3.5, §15.4.5
BOOST_AUTO_TEST_CASE(an_answer_that_can_have_no_content_has_no_type_no_length_and_no_body)
{
    for (const auto& [status, line] : {std::pair(status::no_content, "HTTP/1.1 204 No Content"),
                                       std::pair(status::not_modified, "HTTP/1.1 304 Not Modified")}) {
        const message message(bytes_of({.status = status, .fields = "ETag: \"x\"\r\n", .body = "content"}));

        BOOST_TEST(message.status_line == line);
        BOOST_TEST(message.values("Content-Type").empty());
        BOOST_TEST(message.values("Content-Length").empty());
        BOOST_TEST(message.value("ETag") == "\"x\"");
        BOOST_TEST(message.value("Connection") == "close");
        BOOST_TEST(message.body == "");
    }
}

BOOST_AUTO_TEST_CASE(every_answer_has_its_type_its_length_and_a_date)
{
    for (const auto& answer : all_answers()) {
        const message message(bytes_of(answer));

        BOOST_TEST_CONTEXT(message.status_line)
        {
            BOOST_TEST(message.value("Content-Type") == answer.content_type);
            BOOST_TEST(message.value("Content-Length") == std::to_string(message.body.size()));
            BOOST_TEST(message.value("Date") == "Sun, 06 Nov 1994 08:49:37 GMT");
            BOOST_TEST(message.body == answer.body);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_answer_may_have_further_fields)
{
    const message message(bytes_of({.fields = "Retry-After: 1\r\nAllow: GET, HEAD\r\n"}));

    BOOST_TEST(message.value("Retry-After") == "1");
    BOOST_TEST(message.value("Allow") == "GET, HEAD");
}

BOOST_AUTO_TEST_CASE(one_that_was_cleared_is_like_new)
{
    http::response used{status::not_found, "text/plain", "Allow: GET\r\n", "nothing here"};

    used.clear();

    BOOST_TEST(bytes_of(used) == bytes_of({}));
}

BOOST_AUTO_TEST_CASE(a_length_counts_bytes)
{
    const message message(bytes_of(found(R"({"data":"…"})")));

    BOOST_TEST(message.body == "{\"data\":\"…\"}");
    BOOST_TEST(message.value("Content-Length") == "14");
}

BOOST_AUTO_TEST_CASE(a_date_has_the_form_of_http)
{
    const auto date = [](system_clock::time_point now) {
        return message(bytes_of(not_found(), {}, now)).value("Date");
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
        // From Thursday, 1 January 1970, in steps of 31 days, which reach every month of that year.
        const auto date = message(bytes_of(not_found(), {}, system_clock::time_point(number * 31 * 24h))).value("Date");
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

        BOOST_TEST(to_head + answer.body == to_get);
        BOOST_TEST(to_head.ends_with("\r\n\r\n"));
    }
}

BOOST_AUTO_TEST_CASE(connection_says_what_the_client_would_not_assume)
{
    const auto connection = [](unsigned version, bool keep_alive) {
        return message(bytes_of(not_found(), {version, keep_alive})).values("Connection");
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

BOOST_AUTO_TEST_CASE(a_refusal_has_the_given_status_and_says_the_problem)
{
    const auto refused = http::refused(status::payload_too_large, "more than \"enough\"");

    BOOST_TEST((refused.status == status::payload_too_large));
    BOOST_TEST(error_in(refused) == "more than \"enough\"");
    BOOST_TEST(refused.content_type == "application/json");
}

BOOST_AUTO_TEST_CASE(an_answer_whose_end_is_not_known_has_no_length)
{
    const message answer(
        bytes_of({.content_type = "text/event-stream", .fields = "X: 1\r\n", .body = "first"}, {.has_length = false}));
    BOOST_TEST(answer.status_line == "HTTP/1.1 200 OK");
    BOOST_TEST(answer.values("Content-Length").empty());
    BOOST_TEST(answer.value("Content-Type") == "text/event-stream");
    BOOST_TEST(answer.value("Connection") == "close");
    BOOST_TEST(answer.value("X") == "1");
    BOOST_TEST(answer.body == "first");
}

BOOST_AUTO_TEST_SUITE_END()
