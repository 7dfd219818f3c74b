// What each step has to do from the first four chapters on, and how the first four steps fail.
#include "../integration/kit.hpp"
#include "fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>
#include <thread>
#include <vector>

namespace causeway::guide {
namespace {

// [tie]
// What a client gets when the reply has come and the deadline has passed while the program stood still: it learns of
// both in the same turn of its loop.
test::http_answer answer_in_a_tie()
{
    backend backend;
    constexpr auto reply_timeout = 1s;
    step step(backend, reply_timeout);
    connection client(step.port());
    const auto sent_at = clock::now();
    send_request(client, "404");
    const auto question = backend.next();
    const auto deadline = clock::now() + reply_timeout; // or a little before that
    step.freeze();
    if (clock::now() >= sent_at + reply_timeout) // the machine was so busy that the deadline may have passed before
        return answer_in_a_tie();
    backend.reply(question, reply_for("404", "just in time"));
    std::this_thread::sleep_until(deadline);
    step.go_on();
    return receive_answer(client);
}
// [/tie]

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

BOOST_AUTO_TEST_CASE(a_client_that_wants_the_connection_closed_gets_that_behind_its_answer)
{
    connection client(port);
    client.send("GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    backend.reply(backend.next(), reply_for("404", "the last"));
    BOOST_TEST(receive_answer(client).body == data("Code 404: the last\n"));
    BOOST_TEST(client.receive_rest() == "");
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

BOOST_AUTO_TEST_CASE(a_client_that_goes_away_while_it_waits_harms_nobody)
{
    connection client(port);
    {
        connection leaves(port);
        send_request(leaves, "404");
    }
    backend.reply(backend.next(), reply_for("404", "for nobody"));

    send_request(client, "500");
    backend.reply(backend.next(), reply_for("500", "Internal Server Error"));
    BOOST_TEST(receive_answer(client).body == data("Code 500: Internal Server Error\n"));
}

BOOST_AUTO_TEST_CASE(requests_that_are_sent_together_are_answered_in_their_order)
{
    connection client(port);
    send_request(client, "200");
    send_request(client, "500");
    for (int asked = 0; asked != 2; ++asked) {
        const auto question = backend.next();
        backend.reply(question, reply_for(question.code, "in order"));
    }
    BOOST_TEST(receive_answer(client).body == data("Code 200: in order\n"));
    BOOST_TEST(receive_answer(client).body == data("Code 500: in order\n"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(check_3)

BOOST_AUTO_TEST_CASE(a_request_without_a_reply_times_out)
{
    backend backend;
    constexpr auto reply_timeout = 300ms;
    step step(backend, reply_timeout);
    connection client(step.port());
    const auto sent_at = clock::now();
    send_request(client, "404");
    backend.next();

    const auto answer = receive_answer(client);
    const auto waited = clock::now() - sent_at;
    BOOST_TEST(answer.status == 504);
    BOOST_TEST(answer.body == R"({"error":"timedout"})");
    BOOST_TEST((waited >= reply_timeout && waited < reply_timeout + test::scheduling));
}

BOOST_AUTO_TEST_CASE(a_reply_after_the_timeout_answers_no_other_code_and_the_connection_goes_on)
{
    backend backend;
    step step(backend, 1s);
    connection client(step.port());
    send_request(client, "404");
    const auto late = backend.next();
    BOOST_TEST(receive_answer(client).status == 504);

    send_request(client, "500");
    const auto question = backend.next();
    backend.reply(late, reply_for("404", "too late"));
    backend.reply(question, reply_for("500", "in time"));
    BOOST_TEST(receive_answer(client).body == data("Code 500: in time\n"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(check_4)

// [the_reply_wins]
BOOST_AUTO_TEST_CASE(a_reply_that_has_arrived_is_the_answer_although_the_deadline_has_passed)
{
    BOOST_TEST(answer_in_a_tie().body == data("Code 404: just in time\n"));
}
// [/the_reply_wins]

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(failure_1)

#ifdef STEP_1_WITH_ADDRESS_SANITIZER
// [listener_outlives_its_session]
BOOST_AUTO_TEST_CASE(a_listener_outlives_its_session)
{
    backend backend;
    step step(backend, no_deadline, STEP_1_WITH_ADDRESS_SANITIZER);
    const auto port = step.port();
    const auto without_clients = step.open_descriptors();
    backend::question question;
    {
        connection leaves(port);
        send_request(leaves, "404");
        question = backend.next();
    }
    wait_until([&] { return step.open_descriptors() == without_clients + 1; }); // the one to the backend
    backend.reply(question, reply_for("404", "for a session that is no more"));

    BOOST_TEST(step.wait() != 0);
    BOOST_TEST(step.standard_error().find("heap-use-after-free") != std::string::npos, step.standard_error());
}
// [/listener_outlives_its_session]
#endif

// [one_reply_answers_all]
BOOST_FIXTURE_TEST_CASE(one_reply_answers_all_that_wait_for_its_code, fixture)
{
    connection first(port);
    connection second(port);
    send_request(first, "404");
    backend.next();
    send_request(second, "404");
    backend.reply(backend.next(), reply_for("404", "for one"));

    BOOST_TEST(receive_answer(first).body == data("Code 404: for one\n"));
    BOOST_TEST(receive_answer(second).body == data("Code 404: for one\n"));
}
// [/one_reply_answers_all]

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(failure_2)

// [waits_for_ever]
BOOST_AUTO_TEST_CASE(a_client_waits_for_as_long_as_no_reply_comes)
{
    backend backend;
    constexpr auto reply_timeout = 100ms;
    step step(backend, reply_timeout);
    connection client(step.port());
    send_request(client, "404");
    const auto question = backend.next();
    std::this_thread::sleep_for(5 * reply_timeout); // that nothing happens cannot be awaited
    BOOST_TEST(!client.can_receive());

    backend.reply(question, reply_for("404", "at last"));
    BOOST_TEST(receive_answer(client).body == data("Code 404: at last\n"));
}
// [/waits_for_ever]

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(failure_3)

// [the_tie_loses]
BOOST_AUTO_TEST_CASE(in_a_tie_the_reply_is_lost)
{
    const auto answer = answer_in_a_tie();
    BOOST_TEST(answer.status == 504);
    BOOST_TEST(answer.body == R"({"error":"timedout"})");
}
// [/the_tie_loses]

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(failure_4, fixture)

// [fifty_connections]
BOOST_AUTO_TEST_CASE(each_request_in_flight_has_a_connection_to_the_backend)
{
    constexpr std::size_t in_flight = 50;
    std::vector<connection> clients;
    for (std::size_t i = 0; i != in_flight; ++i)
        send_request(clients.emplace_back(port), "404");
    for (std::size_t i = 0; i != in_flight; ++i)
        backend.next();

    BOOST_TEST(backend.opened() == in_flight);
}
// [/fifty_connections]

// [half_a_reply]
BOOST_AUTO_TEST_CASE(half_a_reply_is_taken_for_a_whole_one)
{
    connection client(port);
    send_request(client, "404");
    backend.reply(backend.next(), "Code 404: Not");

    BOOST_TEST(receive_answer(client).body == data("Code 404: Not"));
}
// [/half_a_reply]

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::guide
