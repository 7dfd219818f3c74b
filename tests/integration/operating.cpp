// What an operator sees of a running bridge: signals that must not end it, and a log that reports problems while they
// occur, and once.
#include "blocking.hpp"
#include "load.hpp"
#include "process.hpp"
#include "upstream/availability.hpp"

#include <boost/test/unit_test.hpp>

#include <list>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace causeway::test {
namespace {

std::size_t lines_with(std::string_view text, const process& program)
{
    const auto log = program.standard_error();
    std::size_t count = 0;
    for (auto at = log.find(text); at != std::string::npos; at = log.find(text, at + 1))
        ++count;
    return count;
}

// Asks a code server for many codes at a time, until the server ends.
class greedy_client {
public:
    explicit greedy_client(std::uint16_t port)
        : connection_(port)
        , asks_([this] { ask(); })
    {
    }

private:
    void ask()
    try {
        std::string codes;
        for (int i = 0; i != at_a_time; ++i)
            codes += "404\n";
        for (bool answers = true; answers;) {
            connection_.send(codes);
            for (int i = 0; answers && i != at_a_time; ++i)
                answers = !connection_.receive_line().empty();
        }
    } catch (const std::system_error&) { // a reset by the server, which has ended
    }

    static constexpr int at_a_time = 1000;

    connection connection_;
    std::jthread asks_;
};

// A bridge on one thread, in front of a backend that the test plays.
struct fixture {
    explicit fixture(const words& options = {})
        : causeway(in_front_of({backend.address()}, with_one_thread(options)))
        , upstream(backend.accept())
        , client(causeway.port())
    {
    }

    static words with_one_thread(words options)
    {
        options.push_back("--threads=1");
        return options;
    }

    // The answer's status when the backend answers the request with `bytes`.
    int status_when_answered_with(std::string_view bytes)
    {
        send_request(client, "404");
        upstream.receive_line();
        upstream.send(bytes);
        return receive_answer(client).status;
    }

    listener backend;
    causeway_process causeway;
    connection upstream;
    connection client;
};

struct impatient : fixture {
    impatient()
        : fixture({"--reply-timeout=100ms"})
    {
    }
};

struct talkative : fixture {
    talkative()
        : fixture({"--log-level=trace"})
    {
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(operating)

BOOST_FIXTURE_TEST_CASE(signals_that_change_nothing_do_not_end_it, fixture)
{
    causeway.signal(SIGHUP);
    causeway.wait_for_line("reload: no setting has changed");
    causeway.signal(SIGUSR1);
    causeway.signal(SIGUSR2);
    BOOST_TEST(status_when_answered_with("Code 404: Not Found\n") == 200);
    causeway.signal(SIGHUP);
    causeway.wait_for_line("reload: no setting has changed", 2);
    causeway.signal(SIGTERM);
    client.close();
    BOOST_TEST(causeway.wait() == 0);
}

BOOST_FIXTURE_TEST_CASE(a_stop_without_a_hangup_mentions_no_reload, fixture)
{
    causeway.signal(SIGTERM);
    client.close();
    BOOST_TEST(causeway.wait() == 0);
    BOOST_TEST(lines_with("reload", causeway) == 0U);
}

BOOST_AUTO_TEST_CASE(signals_that_change_nothing_do_not_end_a_code_server)
{
    code_server_process code_server({"--listen=127.0.0.1:0"});
    connection client(code_server.port());
    for (const int number : {SIGHUP, SIGUSR1, SIGUSR2})
        code_server.signal(number);
    client.send("404\n");
    BOOST_TEST(client.receive_line().starts_with("Code 404"));
}

// Of several attempts, because the event loop has to be busy at that instant.
BOOST_AUTO_TEST_CASE(a_hangup_right_behind_the_signal_to_stop_keeps_no_program_from_ending)
{
    for (int attempt = 0; attempt != 10; ++attempt) {
        code_server_process code_server(on_a_free_port);
        causeway_process causeway(in_front_of({code_server.address()}));
        std::list<greedy_client> clients;
        while (clients.size() != 4)
            clients.emplace_back(code_server.port());
        causeway.port();
        for (server_process* program :
             {static_cast<server_process*>(&causeway), static_cast<server_process*>(&code_server)}) {
            program->signal(SIGTERM);
            program->signal(SIGHUP);
            BOOST_TEST(program->wait() == 0);
        }
    }
}

BOOST_FIXTURE_TEST_CASE(requests_that_time_out_are_reported_while_they_do_but_not_each, impatient)
{
    for (int i = 0; i != 5; ++i)
        BOOST_TEST(status_when_answered_with("") == 504);
    causeway.wait_for_line("none came within the reply timeout (4 such so far)");
    causeway.signal(SIGTERM);
    client.close();
    BOOST_TEST(causeway.wait() == 0);
    BOOST_TEST(lines_with("none came within the reply timeout", causeway) == 3U); // the 1st, 2nd and 4th
    BOOST_TEST(number_before(" requests timed out", causeway.wait_for_line("requests timed out")) == 5U);
}

BOOST_FIXTURE_TEST_CASE(requests_that_are_refused_without_an_upstream_are_reported_and_counted, impatient)
{
    backend.close();
    upstream.close();
    int status = 200;
    while (status != 503)
        status = get(client, "404").status;
    causeway.wait_for_line("no upstream has been reachable for longer than the reply timeout (1 such so far)");
    causeway.signal(SIGTERM);
    client.close();
    BOOST_TEST(causeway.wait() == 0);
    BOOST_TEST(number_before(" refused as unavailable", causeway.wait_for_line("refused as unavailable")) >= 1U);
}

BOOST_AUTO_TEST_CASE(requests_above_the_limit_are_reported_and_counted)
{
    fixture test({"--max-pending=1"});
    send_request(test.client, "404");
    test.upstream.receive_line();
    BOOST_TEST(get(test.causeway.port(), "500").status == 503);
    test.causeway.wait_for_line("too many requests wait (1 such so far)");
    test.upstream.send("Code 404: Not Found\n");
    BOOST_TEST(receive_answer(test.client).status == 200);
    test.causeway.signal(SIGTERM);
    test.client.close();
    BOOST_TEST(test.causeway.wait() == 0);
    BOOST_TEST(number_before(" as overloaded", test.causeway.wait_for_line("as overloaded")) == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_reply_without_a_code_is_shown_with_what_was_expected, impatient)
{
    BOOST_TEST(status_when_answered_with("\x1b[2J not found\r\n") == 504);
    const auto line = causeway.wait_for_line("cannot read a message");
    BOOST_TEST(line.find(R"('\x1b[2J not found\x0d\x0a')") != std::string::npos, line);
    BOOST_TEST(line.find("expected a line that names its code") != std::string::npos, line);
}

BOOST_FIXTURE_TEST_CASE(a_reply_without_an_end_is_told_from_none, impatient)
{
    BOOST_TEST(status_when_answered_with("Code 404: Not Found") == 504);
    const auto line = causeway.wait_for_line("bytes received without a line feed");
    BOOST_TEST(line.find("'Code 404: Not Found'") != std::string::npos, line);
    BOOST_TEST(number_before(" bytes received", line) == 19U);
}

BOOST_AUTO_TEST_CASE(an_outage_that_all_threads_notice_is_told_once)
{
    listener backend;
    causeway_process causeway(in_front_of({backend.address()}, {"--threads=4"}));
    std::vector<connection> upstreams;
    while (upstreams.size() != 4)
        upstreams.push_back(backend.accept());
    causeway.wait_for_line("connected after");
    std::this_thread::sleep_for(2 * upstream::availability::settling_time); // by then each of them counts as working
    backend.close();
    upstreams.clear();
    causeway.wait_for_line("cannot connect");
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 0);

    BOOST_TEST(lines_with("connected after", causeway) == 1U);
    BOOST_TEST(lines_with("connection lost", causeway) <= 2U); // twice when an attempt fails between two losses
    BOOST_TEST(lines_with("cannot connect", causeway) <= 2U);
}

BOOST_AUTO_TEST_CASE(an_upstream_that_goes_and_comes_does_not_flood_the_log)
{
    listener backend;
    causeway_process causeway(in_front_of({backend.address()}, {"--threads=1", "--reconnect-max=1ms"}));
    for (int round = 0; round != 30; ++round) {
        auto upstream = backend.accept();
        upstream.send("Code 404: as a sign of life\n");
    }
    causeway.wait_for_line("it goes up and down");
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 0);
    BOOST_TEST(lines_with("connection lost", causeway) + lines_with("connected after", causeway) <= 10U);
}

BOOST_FIXTURE_TEST_CASE(trace_traces_what_goes_over_the_wire, talkative)
{
    BOOST_TEST(status_when_answered_with("Code 404: Not Found\n") == 200);
    causeway.wait_for_line("wrote 4 bytes");
    causeway.wait_for_line("read 20 bytes");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
