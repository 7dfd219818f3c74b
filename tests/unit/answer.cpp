#include "body_of.hpp"
#include "http/answer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace asio = causeway::asio;
namespace codes = causeway::codes;
namespace http = causeway::http;
namespace upstream = causeway::upstream;
using boost::beast::http::status;
using boost::beast::http::verb;

// An upstream that gives one answer to everything and notes what it was asked.
class fake_upstream {
public:
    explicit fake_upstream(upstream::answer answer = "Code 404: Not Found, used when …\n")
        : answer_(std::move(answer))
    {
    }

    causeway::awaitable<upstream::answer> ask(codes::code code)
    {
        asked.emplace_back(code.text());
        co_return answer_;
    }

    std::vector<std::string> asked;

private:
    upstream::answer answer_;
};

http::response answer_to(const http::request& request, fake_upstream& upstream)
{
    const http::ask_function ask = [&](codes::code code, causeway::steady_timer&) { return upstream.ask(code); };
    std::optional<http::response> answer;
    asio::io_context io;
    causeway::steady_timer deadline(io);
    asio::co_spawn(io, http::answer(request, ask, deadline),
                   [&](const std::exception_ptr& thrown, http::response response) {
                       if (thrown)
                           std::rethrow_exception(thrown);
                       answer = std::move(response);
                   });
    io.poll();
    BOOST_TEST_REQUIRE(answer.has_value());
    return *std::move(answer);
}

http::request request(std::string_view target, verb method = verb::get)
{
    return {.method = method, .target = std::string(target)};
}

http::response get(std::string_view target, fake_upstream& upstream) { return answer_to(request(target), upstream); }

std::string error_in(const http::response& response)
{
    return std::string(boost::json::parse(body_of(response)).at("error").as_string());
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

// That GET `target` asks the upstream for `code` and answers with its reply.
void check_found(std::string_view target, std::string_view code)
{
    BOOST_TEST_CONTEXT("GET " << target)
    {
        fake_upstream upstream("Code " + std::string(code) + ": of course\n");

        const auto response = get(target, upstream);

        BOOST_TEST((response.status == status::ok));
        BOOST_TEST(body_of(response) == "{\"data\":\"Code " + std::string(code) + ": of course\\n\"}");
        BOOST_TEST_REQUIRE(upstream.asked.size() == 1U);
        BOOST_TEST(upstream.asked.front() == code);
    }
}

// That `request` is refused without asking anybody, and that the reason says `problem`.
void check_refused(const http::request& request, status expected, std::string_view problem)
{
    BOOST_TEST_CONTEXT(boost::beast::http::to_string(request.method) << ' ' << request.target)
    {
        fake_upstream upstream;

        const auto response = answer_to(request, upstream);

        BOOST_TEST((response.status == expected), "status " << static_cast<int>(response.status));
        BOOST_TEST(contains(error_in(response), problem), body_of(response));
        BOOST_TEST(upstream.asked.empty());
    }
}

void check_bad_request(std::string_view target, std::string_view problem)
{
    check_refused(request(target), status::bad_request, problem);
}

} // namespace

BOOST_AUTO_TEST_SUITE(answer)

BOOST_AUTO_TEST_CASE(a_code_is_answered_with_the_reply_of_the_upstream)
{
    fake_upstream upstream("Code 404: Not Found, used when …\n");

    const auto response = get("/?statusCode=404", upstream);

    BOOST_TEST((response.status == status::ok));
    BOOST_TEST(body_of(response) == "{\"data\":\"Code 404: Not Found, used when …\\n\"}");
    BOOST_TEST(response.field == "");
}

BOOST_AUTO_TEST_CASE(the_upstream_is_asked_once_for_the_code_of_the_request)
{
    for (const auto code : {"404", "000", "xyz", "aZ9"})
        check_found(std::string("/?statusCode=") + code, code);
}

BOOST_AUTO_TEST_CASE(percent_encoding_makes_no_difference)
{
    check_found("/?statusCode=4%304", "404");
    check_found("/?statusCode=%34%30%34", "404");
    check_found("/?statusCode=%78%79%7A", "xyz");
    check_found("/?statusCode=%78%79%7a", "xyz");
    check_found("/?status%43ode=404", "404");
    check_found("/?%73tatusCode=4%304", "404");
}

BOOST_AUTO_TEST_CASE(other_parameters_are_ignored)
{
    check_found("/?a=b&statusCode=404", "404");
    check_found("/?statusCode=404&a=b", "404");
    check_found("/?statusCode=404&statuscode=200&StatusCode=300&code=400", "404");
    check_found("/?&&statusCode=404&", "404");
    check_found("/?statusCode2=200&statusCode=404&xstatusCode=300", "404");
    check_found("/?a=%00%ff&statusCode=404&flag", "404");
    check_found("/?a=statusCode=200&statusCode=404", "404");
}

BOOST_AUTO_TEST_CASE(a_request_as_to_a_proxy_is_answered)
{
    check_found("http://localhost:8090/?statusCode=404", "404");
    check_found("http://[::1]:8090/?statusCode=404", "404");
    check_found("http://example.com?statusCode=404", "404");
    check_found("HTTP://example.com/?a=b&statusCode=4%304", "404");
}

BOOST_AUTO_TEST_CASE(a_missing_code_is_a_bad_request_that_says_so)
{
    for (const auto target : {"/", "/?", "/?a=b", "/?statuscode=404", "/?StatusCode=404", "/?statusCode2=404", "/?404",
                              "/?code=404", "/?=404", "/?a=statusCode=404", "/?statusCode%3D404", "/?statusCode;=404",
                              "http://localhost:8090/", "http://localhost:8090"})
        check_bad_request(target, "statusCode is missing");
}

BOOST_AUTO_TEST_CASE(a_repeated_code_is_a_bad_request_that_says_so)
{
    for (const auto target :
         {"/?statusCode=404&statusCode=200", "/?statusCode=404&statusCode=404", "/?statusCode=404&a=b&status%43ode=200",
          "/?statusCode=404&statusCode", "/?statusCode=&statusCode=404", "/?statusCode=x&statusCode=y&statusCode=z"})
        check_bad_request(target, "statusCode is there more than once");
}

BOOST_AUTO_TEST_CASE(a_malformed_code_is_a_bad_request_that_says_so)
{
    for (const auto target :
         {"/?statusCode=",          "/?statusCode",         "/?statusCode=4",      "/?statusCode=40",
          "/?statusCode=4040",      "/?statusCode=404,",    "/?statusCode=404%20", "/?statusCode=%20404",
          "/?statusCode=4+4",       "/?statusCode=+404",    "/?statusCode=4-4",    "/?statusCode=4_4",
          "/?statusCode=4.4",       "/?statusCode==404",    "/?statusCode=404=",   "/?statusCode=404?",
          "/?statusCode=%E9%E9%E9", "/?statusCode=4%C3%A9", "/?statusCode=4%25",   "/?statusCode=%2534"})
        check_bad_request(target, "exactly three letters or digits");
}

BOOST_AUTO_TEST_CASE(no_line_ending_or_other_control_character_gets_into_a_code)
{
    for (const auto target : {"/?statusCode=404%0A", "/?statusCode=404%0D%0A200", "/?statusCode=40%0A",
                              "/?statusCode=%0A04", "/?statusCode=4%0D4", "/?statusCode=40%00", "/?statusCode=404%00",
                              "/?statusCode=%00%00%00", "/?statusCode=4%7F4", "/?statusCode=4%094"})
        check_bad_request(target, "exactly three letters or digits");
}

BOOST_AUTO_TEST_CASE(a_target_that_is_no_url_is_a_bad_request)
{
    for (const auto target : {"", "*", "statusCode=404", "?statusCode=404", "/?statusCode=4%3", "/?statusCode=404&a=%",
                              "/?statusCode=404&a=%zz", "/%?statusCode=404", "/?statusCode=404 ", "/?statusCode=4\n4",
                              "/?statusCode=4\xc3\xa9", "/?statusCode=404#top", "http://[::1/?statusCode=404"})
        check_bad_request(target, "not a valid URL");
}

BOOST_AUTO_TEST_CASE(head_is_answered_as_get)
{
    for (const auto target : {"/?statusCode=404", "/", "/?statusCode=4", "/nowhere", "%"}) {
        BOOST_TEST_CONTEXT("HEAD " << target)
        {
            fake_upstream for_get;
            fake_upstream for_head;
            const auto to_get = answer_to(request(target, verb::get), for_get);

            const auto to_head = answer_to(request(target, verb::head), for_head);

            BOOST_TEST((to_head.status == to_get.status));
            BOOST_TEST(body_of(to_head) == body_of(to_get));
            BOOST_TEST(to_head.field == to_get.field);
            BOOST_TEST(for_head.asked == for_get.asked, boost::test_tools::per_element());
        }
    }
}

BOOST_AUTO_TEST_CASE(another_method_is_not_allowed)
{
    for (const auto method :
         {verb::post, verb::put, verb::delete_, verb::options, verb::patch, verb::trace, verb::unknown})
        for (const auto target : {"/?statusCode=404", "/", "/?statusCode=4", "http://localhost/?statusCode=404"}) {
            fake_upstream upstream;

            const auto response = answer_to(request(target, method), upstream);

            BOOST_TEST((response.status == status::method_not_allowed), method << ' ' << target);
            BOOST_TEST(response.field == "Allow: GET, HEAD\r\n");
            BOOST_TEST(!error_in(response).empty());
            BOOST_TEST(upstream.asked.empty());
        }
}

BOOST_AUTO_TEST_CASE(a_method_for_the_server_as_a_whole_is_not_allowed)
{
    fake_upstream upstream;

    const auto response = answer_to(request("*", verb::options), upstream);

    BOOST_TEST((response.status == status::method_not_allowed));
    BOOST_TEST(response.field == "Allow: GET, HEAD\r\n");
    BOOST_TEST(upstream.asked.empty());
}

BOOST_AUTO_TEST_CASE(a_tunnel_is_not_allowed)
{
    for (const auto target : {"127.0.0.1:80", "[::1]:80", "localhost:80", "example.com:443"}) {
        fake_upstream upstream;

        const auto response = answer_to(request(target, verb::connect), upstream);

        BOOST_TEST((response.status == status::method_not_allowed),
                   target << " gets " << static_cast<int>(response.status));
        BOOST_TEST(upstream.asked.empty());
    }
}

BOOST_AUTO_TEST_CASE(there_is_nothing_at_another_path)
{
    for (const auto target : {"/favicon.ico", "/x?statusCode=404", "/statusCode=404", "/404", "/%20?statusCode=404",
                              "/index.html", "/x/?statusCode=404", "http://localhost/x?statusCode=404"})
        check_refused(request(target), status::not_found, "not found");
}

BOOST_AUTO_TEST_CASE(the_answer_at_another_path_has_a_fixed_body)
{
    fake_upstream upstream;

    BOOST_TEST(body_of(get("/x", upstream)) == R"({"error":"not found"})");
}

BOOST_AUTO_TEST_CASE(no_reply_in_time_is_a_gateway_timeout)
{
    fake_upstream upstream(upstream::failure::timed_out);

    const auto response = get("/?statusCode=404", upstream);

    BOOST_TEST((response.status == status::gateway_timeout));
    BOOST_TEST(body_of(response) == R"({"error":"timedout"})");
    BOOST_TEST(response.field == "");
    BOOST_TEST(upstream.asked.size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_upstream_that_is_down_is_unavailable_for_now)
{
    fake_upstream upstream(upstream::failure::unavailable);

    const auto response = get("/?statusCode=404", upstream);

    BOOST_TEST((response.status == status::service_unavailable));
    BOOST_TEST(body_of(response) == R"({"error":"unavailable"})");
    BOOST_TEST(response.field.starts_with("Retry-After: "), response.field);
    BOOST_TEST(upstream.asked.size() == 1U);
}

BOOST_AUTO_TEST_CASE(too_many_requests_waiting_is_overloaded_for_now)
{
    fake_upstream upstream(upstream::failure::overloaded);

    const auto response = get("/?statusCode=404", upstream);

    BOOST_TEST((response.status == status::service_unavailable));
    BOOST_TEST(body_of(response) == R"({"error":"overloaded"})");
    BOOST_TEST(response.field.starts_with("Retry-After: "), response.field);
    BOOST_TEST(upstream.asked.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
