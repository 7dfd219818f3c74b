#include "protocols/codes/http.hpp"
#include "upstream/outcome.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

namespace {

namespace codes = causeway::codes;
namespace http = causeway::http;
namespace upstream = causeway::upstream;
using boost::beast::http::status;
using boost::beast::http::verb;

http::request request(std::string_view target, verb method = verb::get)
{
    return {.method = method, .target = std::string(target)};
}

std::string error_in(const http::response& response)
{
    return std::string(boost::json::parse(response.body).at("error").as_string());
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

// Checks that GET `target` asks for `code`.
void check_found(std::string_view target, std::string_view code)
{
    const auto found = codes::code_in(request(target));

    BOOST_TEST_REQUIRE(found.has_value(), target);
    BOOST_TEST(found->text() == code, target);
}

// Checks that `request` asks for nothing, and that its answer says `problem`.
http::response check_refused(const http::request& request, status expected, std::string_view problem)
{
    BOOST_TEST_CONTEXT(boost::beast::http::to_string(request.method) << ' ' << request.target)
    {
        const auto code = codes::code_in(request);

        BOOST_TEST_REQUIRE(code.has_error());
        BOOST_TEST((code.error().status == expected), "status " << static_cast<int>(code.error().status));
        BOOST_TEST(contains(error_in(code.error()), problem), code.error().body);
        return code.error();
    }
    return {};
}

http::response response_to(const http::outcome& outcome)
{
    http::response response;
    codes::respond(outcome, response);
    return response;
}

void check_bad_request(std::string_view target, std::string_view problem)
{
    check_refused(request(target), status::bad_request, problem);
}

} // namespace

BOOST_AUTO_TEST_SUITE(codes_http)

BOOST_AUTO_TEST_CASE(the_code_is_the_parameter)
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
        check_bad_request(target, "statusCode is given more than once");
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

BOOST_AUTO_TEST_CASE(a_target_that_is_not_http_is_a_bad_request)
{
    for (const auto target :
         {"ftp://localhost/?statusCode=404", "urn:/?statusCode=404", "httpx://localhost/", "ws://localhost/x",
          "http:/?statusCode=404", "http:?statusCode=404", "http:///?statusCode=404", "http://?statusCode=404",
          "http://user@localhost/?statusCode=404"})
        check_bad_request(target, "not a valid URL");
    check_found("https://localhost/?statusCode=404", "404");
}

BOOST_AUTO_TEST_CASE(head_asks_for_what_get_asks_for)
{
    for (const auto target : {"/?statusCode=404", "/", "/?statusCode=4", "/nowhere", "%"}) {
        BOOST_TEST_CONTEXT("HEAD " << target)
        {
            const auto by_get = codes::code_in(request(target, verb::get));

            const auto by_head = codes::code_in(request(target, verb::head));

            BOOST_TEST_REQUIRE(by_head.has_value() == by_get.has_value());
            if (by_head.has_value()) {
                BOOST_TEST(by_head->text() == by_get->text());
            } else {
                BOOST_TEST((by_head.error().status == by_get.error().status));
                BOOST_TEST(by_head.error().body == by_get.error().body);
                BOOST_TEST(by_head.error().fields == by_get.error().fields);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(another_method_is_not_allowed)
{
    for (const auto method :
         {verb::post, verb::put, verb::delete_, verb::options, verb::patch, verb::trace, verb::unknown})
        for (const auto target : {"/?statusCode=404", "/", "/?statusCode=4", "http://localhost/?statusCode=404"}) {
            const auto refused = check_refused(request(target, method), status::method_not_allowed, "GET, HEAD");

            BOOST_TEST(refused.fields == "Allow: GET, HEAD\r\n");
        }
}

BOOST_AUTO_TEST_CASE(a_method_for_the_server_as_a_whole_is_not_allowed)
{
    const auto refused = check_refused(request("*", verb::options), status::method_not_allowed, "GET, HEAD");

    BOOST_TEST(refused.fields == "Allow: GET, HEAD\r\n");
}

BOOST_AUTO_TEST_CASE(a_tunnel_is_not_allowed)
{
    for (const auto target : {"127.0.0.1:80", "[::1]:80", "localhost:80", "example.com:443"})
        check_refused(request(target, verb::connect), status::method_not_allowed, "GET, HEAD");
}

BOOST_AUTO_TEST_CASE(there_is_nothing_at_another_path)
{
    for (const auto target : {"/favicon.ico", "/x?statusCode=404", "/statusCode=404", "/404", "/%20?statusCode=404",
                              "/index.html", "/x/?statusCode=404", "http://localhost/x?statusCode=404"})
        check_refused(request(target), status::not_found, "not found");
}

BOOST_AUTO_TEST_CASE(a_reply_is_data_with_its_line_feed)
{
    const auto found = response_to("Code 404: Not Found, used when …\n");

    BOOST_TEST((found.status == status::ok));
    BOOST_TEST(found.content_type == "application/json");
    BOOST_TEST(found.fields == "");
    BOOST_TEST(found.body == "{\"data\":\"Code 404: Not Found, used when …\\n\"}");
}

BOOST_AUTO_TEST_CASE(each_failure_has_its_status_and_its_name)
{
    struct row {
        upstream::failure failure;
        status expected;
        std::string_view body;
    };
    for (const auto& [failure, expected, body] :
         {row{upstream::failure::timed_out, status::gateway_timeout, R"({"error":"timedout"})"},
          row{upstream::failure::unavailable, status::service_unavailable, R"({"error":"unavailable"})"},
          row{upstream::failure::overloaded, status::service_unavailable, R"({"error":"overloaded"})"},
          row{upstream::failure::connection_lost, status::bad_gateway, R"({"error":"connection lost"})"}}) {
        const auto failed = response_to(failure);

        BOOST_TEST((failed.status == expected), body);
        BOOST_TEST(failed.body == body);
    }
}

BOOST_AUTO_TEST_CASE(trying_again_is_advised_exactly_while_the_upstream_is_down_or_too_busy)
{
    for (const auto failure : {upstream::failure::unavailable, upstream::failure::overloaded})
        BOOST_TEST(response_to(failure).fields == "Retry-After: 1\r\n");
    for (const auto& other : {response_to("x"), response_to(upstream::failure::timed_out)})
        BOOST_TEST(other.fields == "");
}

BOOST_AUTO_TEST_CASE(a_failure_of_somebody_else_is_an_internal_error)
{
    const auto failed = response_to(make_error_code(boost::system::errc::io_error));

    BOOST_TEST((failed.status == status::internal_server_error));
    BOOST_TEST(!error_in(failed).empty());
}

BOOST_AUTO_TEST_SUITE_END()
