#include "iso8583_kit.hpp"
#include "protocols/iso8583/http.hpp"
#include "protocols/iso8583/json.hpp"
#include "upstream/outcome.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace {

namespace http = causeway::http;
namespace iso = causeway::iso8583;
namespace upstream = causeway::upstream;
using boost::beast::http::status;
using boost::beast::http::verb;
using upstream::failure;

constexpr std::string_view purchase =
    R"({"mti":"0200","3":"000000","4":"000000001000","7":"1124163000","11":"000042","32":"123456","41":"TERM0001"})";

const iso::settings settings{.dialect = iso::dialect::built_in("iso8583-1987-ascii")};

http::request post(std::string_view body, std::string_view content_type = "application/json")
{
    return {.method = verb::post, .target = "/", .content_type = std::string(content_type), .body = std::string(body)};
}

iso::message message(std::string_view json) { return iso::from_json(json).value(); }

std::string packed(std::string_view json) { return settings.dialect.pack(message(json)).value(); }

std::string error_in(const http::response& response)
{
    return std::string(boost::json::parse(response.body).at("error").as_string());
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

http::response check_refused(const http::request& request, status expected, std::string_view problem,
                             const iso::settings& how = settings)
{
    BOOST_TEST_CONTEXT(boost::beast::http::to_string(request.method) << ' ' << request.target << ' ' << request.body)
    {
        const auto question = iso::question_in(request, how);

        BOOST_TEST_REQUIRE(question.has_error());
        BOOST_TEST((question.error().status == expected), "status " << static_cast<int>(question.error().status));
        BOOST_TEST(contains(error_in(question.error()), problem), question.error().body);
        return question.error();
    }
    return {};
}

void check_question(const http::request& request)
{
    BOOST_TEST(iso::question_in(request, settings).has_value(), request.target << ' ' << request.content_type);
}

http::response response_to(const http::outcome& outcome, std::string_view question = purchase)
{
    http::response response;
    iso::respond(post(question), outcome, settings, response);
    return response;
}

http::response failed(failure why, bool written, std::string_view question = purchase)
{
    return response_to(make_error_code(why, written), question);
}

// An outcome that nobody knows: of `purchase`.
constexpr std::string_view reversal = R"("sent":true,"reversal":{"90":"020000004211241630000000012345600000000000"}})";

// A dialect that fills up 37 and 41 with zeros on the left.
namespace padded {

std::string field(std::size_t length)
{
    return R"({"type": "String", "length": )" + std::to_string(length) +
           R"(, "enc": "ASCII", "prefix": "ASCII.Fixed", "padding": {"type": "Left", "pad": "0"}})";
}

const iso::settings settings{
    .dialect = iso::dialect::parse(iso::test::dialect_with(R"("11": {"type": "Numeric", "length": 6, "enc": "ASCII",
                                                              "prefix": "ASCII.Fixed"}, "37": )" +
                                                           field(12) + R"(, "41": )" + field(8)),
                                   "padded"),
    .key_fields = iso::key_fields("11,37,41")};

std::string purchase_with(std::string_view retrieval_reference, std::string_view terminal)
{
    return R"({"mti":"0200","11":"000042","37":")" + std::string(retrieval_reference) + R"(","41":")" +
           std::string(terminal) + "\"}";
}

} // namespace padded

} // namespace

BOOST_AUTO_TEST_SUITE(iso8583_http)

BOOST_AUTO_TEST_CASE(a_message_is_a_question_in_its_frame_that_is_never_written_twice)
{
    const auto question = iso::question_in(post(purchase), settings).value();

    std::string expected;
    append_frame(packed(purchase), settings.framing, expected);
    BOOST_TEST(question.bytes == expected);
    BOOST_TEST(question.key.text() == "0211124163000000042");
    BOOST_TEST(!question.repeatable);
}

BOOST_AUTO_TEST_CASE(the_type_may_have_parameters_and_any_case)
{
    for (const auto* type : {"application/json", "Application/JSON", "application/json; charset=utf-8",
                             "application/json ;charset=utf-8", "application/json;"})
        check_question(post(purchase, type));
}

BOOST_AUTO_TEST_CASE(another_type_or_none_is_not_taken)
{
    for (const auto* type :
         {"", "text/plain", "application/jsonx", "application/json-seq", "application/x-www-form-urlencoded"})
        check_refused(post(purchase, type), status::unsupported_media_type, "application/json");
}

BOOST_AUTO_TEST_CASE(a_query_and_the_form_for_proxies_make_no_difference)
{
    for (const auto* target : {"/?a=b", "http://example.com/", "http://example.com", "https://[::1]:8090/"}) {
        auto request = post(purchase);
        request.target = target;
        check_question(request);
    }
}

BOOST_AUTO_TEST_CASE(another_path_is_not_found_whatever_the_method)
{
    for (const auto method : {verb::post, verb::get})
        check_refused({.method = method, .target = "/payments"}, status::not_found, "not found");
}

BOOST_AUTO_TEST_CASE(another_method_is_not_allowed)
{
    for (const auto method : {verb::get, verb::head, verb::put, verb::delete_, verb::connect})
        BOOST_TEST(check_refused({.method = method, .target = "/"}, status::method_not_allowed, "POST").fields ==
                   "Allow: POST\r\n");
}

BOOST_AUTO_TEST_CASE(a_target_that_is_no_url_is_a_bad_request)
{
    auto request = post(purchase);
    request.target = "ftp://example.com/";
    check_refused(request, status::bad_request, "not a valid URL");
}

BOOST_AUTO_TEST_CASE(what_is_no_json_is_a_bad_request)
{
    for (const auto* body : {"", "{", "[]", "mti=0200"})
        check_refused(post(body), status::bad_request, "");
}

BOOST_AUTO_TEST_CASE(a_field_that_is_wrong_is_a_bad_request_that_names_it)
{
    check_refused(post(R"({"mti":"0200","4":1000,"7":"1124163000","11":"000042"})"), status::bad_request, "4: ");
    check_refused(post(R"({"mti":"0200","4":"0000000010000","7":"1124163000","11":"000042"})"), status::bad_request,
                  "4: ");
}

BOOST_AUTO_TEST_CASE(a_message_that_does_not_fit_into_a_frame_is_a_bad_request)
{
    auto narrow = settings;
    narrow.framing = {.form = iso::length_form::bcd2, .header = std::string(9'950, 'x')};
    check_refused(post(purchase), status::bad_request, "but a frame holds at most 49", narrow);
}

BOOST_AUTO_TEST_CASE(a_message_that_cannot_be_a_question_is_unprocessable)
{
    check_refused(post(R"({"mti":"0210","7":"1124163000","11":"000042"})"), status::unprocessable_entity, "mti: ");
    check_refused(post(R"({"mti":"0200","7":"1124163000"})"), status::unprocessable_entity, "11: ");
    check_refused(post(R"({"mti":"0200","11":"000042"})"), status::unprocessable_entity, "7: ");
    check_refused(post(R"({"mti":"0800","7":"1124163000","11":"999000","70":"301"})"), status::unprocessable_entity,
                  "11: ");
}

BOOST_AUTO_TEST_CASE(the_hosts_message_is_the_answer_whatever_its_response_code)
{
    for (const auto* reply : {R"({"mti":"0210","7":"1124163000","11":"000042","39":"00","41":"TERM0001"})",
                              R"({"mti":"0210","7":"1124163000","11":"000042","39":"51"})"}) {
        const auto found = response_to(packed(reply));

        BOOST_TEST((found.status == status::ok));
        BOOST_TEST(found.content_type == "application/json");
        BOOST_TEST((message(found.body) == message(reply)), found.body);
    }
}

BOOST_AUTO_TEST_CASE(what_was_not_written_is_said_to_be_safe_to_try_again)
{
    const auto unavailable = failed(failure::unavailable, false);
    BOOST_TEST((unavailable.status == status::service_unavailable));
    BOOST_TEST(unavailable.body == R"({"error":"unavailable","sent":false})");
    BOOST_TEST(unavailable.fields == "Retry-After: 1\r\n");

    const auto overloaded = failed(failure::overloaded, false);
    BOOST_TEST((overloaded.status == status::service_unavailable));
    BOOST_TEST(overloaded.body == R"({"error":"overloaded","sent":false})");
    BOOST_TEST(overloaded.fields == "Retry-After: 1\r\n");

    const auto timed_out = failed(failure::timed_out, false);
    BOOST_TEST((timed_out.status == status::gateway_timeout));
    BOOST_TEST(timed_out.body == R"({"error":"timedout","sent":false})");
}

BOOST_AUTO_TEST_CASE(a_duplicate_is_a_conflict)
{
    const auto duplicate = failed(failure::duplicate, false);

    BOOST_TEST((duplicate.status == status::conflict));
    BOOST_TEST(duplicate.body == R"({"error":"duplicate"})");
}

BOOST_AUTO_TEST_CASE(an_unknown_outcome_is_said_with_what_a_reversal_needs)
{
    const auto timed_out = failed(failure::timed_out, true);
    BOOST_TEST((timed_out.status == status::gateway_timeout));
    BOOST_TEST(timed_out.body == R"({"error":"timedout",)" + std::string(reversal));

    const auto lost = failed(failure::connection_lost, true);
    BOOST_TEST((lost.status == status::bad_gateway));
    BOOST_TEST(lost.body == R"({"error":"connection lost",)" + std::string(reversal));
}

BOOST_AUTO_TEST_CASE(what_was_written_before_the_bridge_was_stopped_is_not_said_to_be_unavailable)
{
    const auto stopped = failed(failure::unavailable, true);

    BOOST_TEST((stopped.status == status::bad_gateway));
    BOOST_TEST(stopped.body == R"({"error":"connection lost",)" + std::string(reversal));
}

BOOST_AUTO_TEST_CASE(a_reply_that_the_dialect_cannot_read_is_answered_as_lost)
{
    const auto found = response_to(std::string("nothing of the kind"));

    BOOST_TEST((found.status == status::bad_gateway));
    BOOST_TEST(found.body == R"({"error":"connection lost",)" + std::string(reversal));
}

BOOST_AUTO_TEST_CASE(a_reply_of_another_terminal_is_answered_as_lost)
{
    const auto found =
        response_to(packed(R"({"mti":"0210","7":"1124163000","11":"000042","39":"00","41":"TERM0002"})"));

    BOOST_TEST((found.status == status::bad_gateway));
    BOOST_TEST(found.body == R"({"error":"connection lost",)" + std::string(reversal));
}

// Where the dialect pads, a client may leave the padding out. It is one message all the same.
BOOST_AUTO_TEST_CASE(two_spellings_of_one_message_have_one_key)
{
    const auto full =
        iso::question_in(post(padded::purchase_with("000000000123", "00012345")), padded::settings).value();
    const auto bare = iso::question_in(post(padded::purchase_with("123", "12345")), padded::settings).value();

    BOOST_TEST(full.bytes == bare.bytes);
    BOOST_TEST(full.key.text() == bare.key.text());
}

BOOST_AUTO_TEST_CASE(a_terminal_is_known_whether_its_padding_was_left_out_or_not)
{
    const auto status_for = [](std::string_view asked, std::string_view answered) {
        auto reply = message(padded::purchase_with("000000000123", answered));
        reply.mti = "0210";
        http::response response;
        iso::respond(post(padded::purchase_with("123", asked)), padded::settings.dialect.pack(reply).value(),
                     padded::settings, response);
        return response.status;
    };

    BOOST_TEST((status_for("12345", "00012345") == status::ok));
    BOOST_TEST((status_for("00012345", "00012345") == status::ok));
    BOOST_TEST((status_for("12345", "00012346") == status::bad_gateway));
}

BOOST_AUTO_TEST_CASE(field_90_has_zeros_for_what_the_request_has_not_got)
{
    const auto found = failed(failure::timed_out, true, R"({"mti":"0100","11":"7","33":"98765432101"})");

    BOOST_TEST(found.body ==
               R"({"error":"timedout","sent":true,"reversal":{"90":"010000000700000000000000000000098765432101"}})");
}

BOOST_AUTO_TEST_CASE(only_what_can_be_reversed_comes_with_a_reversal)
{
    for (const auto* mti : {"0420", "0400", "0800", "0302"}) {
        const auto found =
            failed(failure::connection_lost, true, R"({"mti":")" + std::string(mti) + R"(","11":"000042"})");

        BOOST_TEST(found.body == R"({"error":"connection lost","sent":true})", mti);
    }
}

BOOST_AUTO_TEST_CASE(a_failure_of_somebody_else_is_an_internal_error)
{
    const auto found = response_to(make_error_code(boost::system::errc::io_error));

    BOOST_TEST((found.status == status::internal_server_error));
    BOOST_TEST(!error_in(found).empty());
}

BOOST_AUTO_TEST_SUITE_END()
