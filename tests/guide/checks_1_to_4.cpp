// What each step has to do from the first four chapters on, and how the first four steps fail.
#include "fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <thread>

namespace causeway::guide {
namespace {

const std::string timed_out = R"({"error":"timedout"})";

} // namespace

BOOST_FIXTURE_TEST_SUITE(check_1, fixture)

BOOST_AUTO_TEST_CASE(the_reply_to_a_code_is_the_answer)
{
    connection client(port);
    send_request(client, "404");
    const auto question = backend.next();
    BOOST_TEST(question.code == "404");
    backend.reply(question, reply_for("404", "Not Found, …"));

    const auto answer = receive_answer(client);
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.body == data("Code 404: Not Found, …\n"));
}

BOOST_AUTO_TEST_CASE(a_client_asks_again_on_the_same_connection)
{
    connection client(port);
    for (const auto* const code : {"200", "404", "404"}) {
        send_request(client, code);
        const auto reply = reply_for(code, "again");
        backend.reply(backend.next(), reply);
        BOOST_TEST(receive_answer(client).body == data(reply));
    }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_a_code_is_refused_and_does_not_reach_the_backend)
{
    connection client(port);
    for (const auto* const no_code : {"", "40", "4040", "4%0A", "4-4"}) {
        const auto answer = get(client, no_code);
        BOOST_TEST(answer.status == 400, no_code);
        BOOST_TEST(answer.body.starts_with(R"({"error":")"), answer.body);
    }
    send_request(client, "404");
    BOOST_TEST(backend.next().code == "404");
}

BOOST_AUTO_TEST_CASE(each_client_gets_the_reply_to_its_own_code)
{
    connection asks_404(port);
    connection asks_500(port);
    send_request(asks_404, "404");
    const auto first = backend.next();
    send_request(asks_500, "500");
    const auto second = backend.next();

    backend.reply(second, reply_for("500", "Internal Server Error"));
    BOOST_TEST(receive_answer(asks_500).body == data("Code 500: Internal Server Error\n"));
    backend.reply(first, reply_for("404", "Not Found"));
    BOOST_TEST(receive_answer(asks_404).body == data("Code 404: Not Found\n"));
}

BOOST_AUTO_TEST_CASE(text_that_json_must_escape_is_escaped)
{
    connection client(port);
    send_request(client, "xyz");
    backend.reply(backend.next(), "I dont know about code \"xyz\"\n");
    BOOST_TEST(receive_answer(client).body == R"({"data":"I dont know about code \"xyz\"\n"})");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(check_2, fixture)

BOOST_AUTO_TEST_CASE(a_reply_answers_one_request)
{
    connection first(port);
    connection second(port);
    send_request(first, "404");
    const auto asked_first = backend.next();
    send_request(second, "404");
    const auto asked_second = backend.next();

    backend.reply(asked_first, reply_for("404", "for one"));
    BOOST_TEST(receive_answer(first).body == data("Code 404: for one\n"));
    backend.reply(asked_second, reply_for("404", "for the other"));
    BOOST_TEST(receive_answer(second).body == data("Code 404: for the other\n"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(check_4)

// Both have come while the program stood still, so it learns of them in the same turn of its loop.
BOOST_AUTO_TEST_CASE(a_reply_that_has_arrived_is_the_answer_although_the_deadline_has_passed)
{
    guide::backend backend;
    constexpr auto reply_timeout = 1s;
    step step(backend, reply_timeout);
    connection client(step.port());
    send_request(client, "404");
    const auto question = backend.next();
    const auto deadline = std::chrono::steady_clock::now() + reply_timeout; // or a little before that
    step.freeze();
    backend.reply(question, reply_for("404", "just in time"));
    std::this_thread::sleep_until(deadline);
    step.go_on();

    BOOST_TEST(receive_answer(client).body == data("Code 404: just in time\n"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::guide
