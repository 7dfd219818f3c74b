// What each step has to do from the fifth chapter on, and how the steps from the fifth to the seventh fail.
#include "fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace causeway::guide {
namespace {

// That nothing happens cannot be awaited.
constexpr auto moment = 100ms;

// As many clients, each of which has asked for `code`.
std::vector<connection> clients_that_ask(std::uint16_t port, std::size_t count, const std::string& code)
{
    std::vector<connection> clients;
    for (std::size_t i = 0; i != count; ++i)
        send_request(clients.emplace_back(port), code);
    return clients;
}

// Replies to all that is asked until `client` has got something, and gives what was asked. The real program may also
// ask whether a backend works.
std::vector<std::string> reply_until_something_comes(backend& backend, const connection& client)
{
    std::vector<std::string> asked;
    wait_until([&] {
        while (backend.was_asked()) {
            const auto question = backend.next();
            backend.reply(question, reply_for(question.code, "it works"));
            asked.push_back(question.code);
        }
        return client.can_receive();
    });
    return asked;
}

void ask_and_reply(backend& backend, connection& client, const std::string& code)
{
    send_request(client, code);
    reply_until_something_comes(backend, client);
    BOOST_TEST(receive_answer(client).body == data(reply_for(code, "it works")));
}

// Asks until there is a reply, and gives all that the backend was asked. Where the deadline is short, a busy machine
// may miss it.
std::vector<std::string> ask_until_it_works(backend& backend, connection& client, const std::string& code)
{
    std::vector<std::string> asked;
    for (bool works = false; !works;) {
        send_request(client, code);
        std::ranges::copy(reply_until_something_comes(backend, client), std::back_inserter(asked));
        works = receive_answer(client).status == 200;
    }
    return asked;
}

// The backend hangs up and is away: nobody listens on its port.
void end(backend& backend)
{
    backend.stop_listening();
    for (std::size_t i = 0; i != backend.opened(); ++i)
        backend.close(i);
}

// Requests for `code` that give up while there is no backend.
void let_time_out(std::uint16_t port, std::size_t count, const std::string& code)
{
    for (auto& client : clients_that_ask(port, count, code))
        BOOST_TEST(receive_answer(client).status != 200);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(check_5, fixture)

BOOST_AUTO_TEST_CASE(all_requests_share_a_connection_whatever_the_order_of_their_replies)
{
    const std::vector<std::string> codes{"200", "404", "500", "200", "abc"};
    std::vector<connection> clients;
    std::vector<backend::question> questions;
    for (const auto& code : codes) {
        send_request(clients.emplace_back(port), code);
        questions.push_back(backend.next());
    }
    BOOST_TEST(backend.opened() == 1U);

    std::ranges::reverse(questions);
    for (const auto& question : questions)
        backend.reply(question, reply_for(question.code, "in another order"));
    for (std::size_t i = 0; i != codes.size(); ++i)
        BOOST_TEST(receive_answer(clients[i]).body == data(reply_for(codes[i], "in another order")));
}

// [in_pieces]
BOOST_AUTO_TEST_CASE(a_reply_may_come_in_pieces)
{
    connection client(port);
    send_request(client, "404");
    const auto question = backend.next();
    backend.reply(question, "Code 404: Not");
    std::this_thread::sleep_for(moment);
    BOOST_TEST(!client.can_receive());

    backend.reply(question, " Found\n");
    BOOST_TEST(receive_answer(client).body == data("Code 404: Not Found\n"));
}
// [/in_pieces]

BOOST_AUTO_TEST_CASE(replies_may_come_together)
{
    connection asks_404(port);
    connection asks_500(port);
    send_request(asks_404, "404");
    send_request(asks_500, "500");
    backend.next();
    backend.reply(backend.next(), "Code 500: Internal Server Error\nCode 404: Not Found\n");

    BOOST_TEST(receive_answer(asks_404).body == data("Code 404: Not Found\n"));
    BOOST_TEST(receive_answer(asks_500).body == data("Code 500: Internal Server Error\n"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(check_6, fixture)

BOOST_AUTO_TEST_CASE(a_connection_that_was_lost_is_made_again)
{
    connection client(port);
    for (std::size_t connection = 0; connection != 3; ++connection) {
        ask_and_reply(backend, client, "404");
        BOOST_TEST(backend.opened() == connection + 1);
        backend.close(connection);
        wait_until([&] { return backend.opened() > connection + 1; });
    }
}

// [written_again]
BOOST_AUTO_TEST_CASE(what_was_written_and_has_no_reply_is_written_again_on_the_next_connection)
{
    connection client(port);
    ask_and_reply(backend, client, "404");
    send_request(client, "500");
    const auto lost = backend.next();
    backend.close(lost.connection);

    reply_until_something_comes(backend, client);
    BOOST_TEST(receive_answer(client).body == data("Code 500: it works\n"));
}
// [/written_again]

BOOST_AUTO_TEST_CASE(a_backend_that_is_away_for_a_moment_costs_no_request_an_error)
{
    connection client(port);
    ask_and_reply(backend, client, "404");
    end(backend);
    send_request(client, "500");
    guide::backend restarted(backend.port());

    reply_until_something_comes(restarted, client);
    BOOST_TEST(receive_answer(client).body == data("Code 500: it works\n"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(check_7)

// [not_written]
BOOST_AUTO_TEST_CASE(a_request_that_gave_up_before_it_was_written_is_not_written)
{
    backend backend;
    step step(backend, 500ms);
    connection client(step.port());
    ask_until_it_works(backend, client, "404");
    end(backend);
    let_time_out(step.port(), 20, "xyz");

    guide::backend restarted(backend.port());
    const auto asked = ask_until_it_works(restarted, client, "abc");
    BOOST_TEST(std::ranges::count(asked, "xyz") == 0);
}
// [/not_written]

BOOST_FIXTURE_TEST_CASE(no_more_messages_are_on_their_way_than_the_window_has_places, fixture)
{
    auto clients = clients_that_ask(port, window + 10, "404");
    std::vector<backend::question> on_the_wire;
    while (on_the_wire.size() != window)
        on_the_wire.push_back(backend.next());
    std::this_thread::sleep_for(moment);
    BOOST_TEST(!backend.was_asked());

    for (const auto& question : on_the_wire)
        backend.reply(question, reply_for("404", "for one"));
    for (std::size_t i = 0; i != 10; ++i)
        backend.reply(backend.next(), reply_for("404", "for one"));
    for (auto& client : clients)
        BOOST_TEST(receive_answer(client).body == data("Code 404: for one\n"));
}

// [overloaded]
BOOST_FIXTURE_TEST_CASE(a_request_above_the_bound_is_refused_at_once, fixture)
{
    auto clients = clients_that_ask(port, most_waiting + 1, "404");
    const auto has_answer = [](const connection& client) { return client.can_receive(); };
    wait_until([&] { return std::ranges::any_of(clients, has_answer); });
    std::this_thread::sleep_for(moment);
    BOOST_TEST(std::ranges::count_if(clients, has_answer) == 1);

    const auto refused = receive_answer(*std::ranges::find_if(clients, has_answer));
    BOOST_TEST(refused.status == 503);
    BOOST_TEST(refused.body == R"({"error":"overloaded"})");
}
// [/overloaded]

BOOST_AUTO_TEST_CASE(a_connection_on_which_nothing_comes_back_is_given_up_for_another)
{
    backend backend;
    step step(backend, 300ms);
    connection client(step.port());
    send_request(client, "404");
    const auto question = backend.next();
    BOOST_TEST(receive_answer(client).status == 504);

    wait_until([&] { return backend.has_ended(question.connection) && backend.opened() == 2; });
    ask_until_it_works(backend, client, "500");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(check_8)

// [drain]
BOOST_AUTO_TEST_CASE(a_request_under_way_is_answered_before_the_program_ends)
{
    for (const auto signal : {SIGINT, SIGTERM}) {
        backend backend;
        step step(backend);
        connection client(step.port());
        send_request(client, "404");
        const auto question = backend.next();
        step.signal(signal);
        wait_until([port = step.port()] { return !test::accepts_connections(port); });

        backend.reply(question, reply_for("404", "the last"));
        const auto answer = receive_answer(client);
        BOOST_TEST(answer.body == data("Code 404: the last\n"));
        BOOST_TEST(answer.head.find("Connection: close\r\n") != std::string::npos, answer.head);
        BOOST_TEST(client.receive_rest() == "");
        BOOST_TEST(step.wait() == 0);
    }
}
// [/drain]

BOOST_FIXTURE_TEST_CASE(an_idle_connection_keeps_nobody, fixture)
{
    connection never_asks(port);
    connection client(port);
    ask_and_reply(backend, client, "404");
    step.signal(SIGTERM);

    BOOST_TEST(client.receive_rest() == "");
    BOOST_TEST(never_asks.receive_rest() == "");
    BOOST_TEST(step.wait() == 0);
}

BOOST_FIXTURE_TEST_CASE(a_second_signal_ends_it_at_once, fixture)
{
    connection client(port);
    send_request(client, "404");
    backend.next();
    step.signal(SIGTERM);
    wait_until([this] { return !test::accepts_connections(port); });
    BOOST_TEST(!client.can_receive());

    step.signal(SIGTERM);
    BOOST_CHECK_THROW(receive_answer(client), test::no_answer);
    step.wait();
}

BOOST_AUTO_TEST_CASE(each_loop_has_a_connection_of_its_own)
{
    backend backend;
    step step(backend, no_deadline, program_under_test(), 2);
    const auto port = step.port();
    wait_until([&] { return backend.opened() == 2; });
    auto clients = clients_that_ask(port, 16, "404");
    for (std::size_t i = 0; i != clients.size(); ++i)
        backend.reply(backend.next(), reply_for("404", "for one"));

    for (auto& client : clients)
        BOOST_TEST(receive_answer(client).body == data("Code 404: for one\n"));
    step.signal(SIGTERM);
    BOOST_TEST(step.wait() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(failure_5)

// [never_again]
BOOST_AUTO_TEST_CASE(when_the_connection_is_lost_every_request_times_out_for_ever)
{
    backend backend;
    step step(backend, 200ms);
    connection client(step.port());
    ask_until_it_works(backend, client, "404");
    backend.close(0); // and listens on

    for (int request = 0; request != 5; ++request)
        BOOST_TEST(get(client, "404").status == 504);
    BOOST_TEST(backend.opened() == 1U);
}
// [/never_again]

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(failure_6)

// [wasted_calls]
BOOST_AUTO_TEST_CASE(what_nobody_waits_for_any_more_is_kept_and_written)
{
    backend backend;
    step step(backend, 500ms);
    connection client(step.port());
    ask_until_it_works(backend, client, "404");
    end(backend);
    let_time_out(step.port(), 20, "xyz");

    guide::backend restarted(backend.port());
    send_request(client, "abc");
    std::size_t wasted = 0;
    while (restarted.next().code != "abc")
        ++wasted;
    BOOST_TEST(wasted == 20U);
}
// [/wasted_calls]

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(failure_7, fixture)

// [dropped]
BOOST_AUTO_TEST_CASE(a_signal_drops_the_client_of_a_request_under_way)
{
    connection client(port);
    send_request(client, "404");
    backend.next();
    step.signal(SIGINT);

    BOOST_CHECK_THROW(receive_answer(client), test::no_answer);
    BOOST_TEST(step.wait() == 128 + SIGINT);
}
// [/dropped]

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::guide
