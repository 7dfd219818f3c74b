// Between the signal to stop and the drain: a load balancer sees that the process is stopping, and no client is
// refused.
#include "../temporary.hpp"
#include "blocking.hpp"
#include "kit.hpp"
#include "load.hpp"
#include "process.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace causeway::test {
namespace {

http_answer get_readiness(std::uint16_t admin_port)
{
    connection client(admin_port);
    client.send("GET /readyz HTTP/1.1\r\nHost: test\r\n\r\n");
    return receive_answer(client);
}

// A bridge with admin pages, in front of a code server.
struct fixture {
    explicit fixture(const std::string& delay = "--drain-delay=1h")
        : causeway(in_front_of({code_server.address()}, {"--threads=2", "--admin=127.0.0.1:0", delay}))
    {
        wait_until([&] { return get_readiness(causeway.admin_port()).status == 200; });
    }

    code_server_process code_server{on_a_free_port};
    causeway_process causeway;
};

struct short_delay : fixture {
    short_delay()
        : fixture("--drain-delay=300ms")
    {
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(drain_delay)

BOOST_FIXTURE_TEST_CASE(until_the_delay_has_passed_it_is_not_ready_and_serves_all, fixture)
{
    connection early(causeway.port());
    BOOST_TEST(get(early, "404").status == 200);
    causeway.signal(SIGTERM);
    wait_until([&] { return get_readiness(causeway.admin_port()).status == 503; });
    BOOST_TEST(get_readiness(causeway.admin_port()).body == "draining\n");
    BOOST_TEST(get(early, "404").status == 200);
    connection late(causeway.port());
    const auto answer = get(late, "404");
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.head.find("\r\nConnection: close\r\n") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(after_the_delay_it_drains, short_delay)
{
    const auto signalled = clock::now();
    causeway.signal(SIGTERM);
    causeway.wait_for_line("stopping in 300 ms: ");
    causeway.wait_for_line("stopping: no new connections");
    BOOST_TEST((clock::now() - signalled >= 300ms));
    BOOST_TEST(causeway.wait() == 0);
}

BOOST_FIXTURE_TEST_CASE(another_signal_begins_the_drain_at_once, fixture)
{
    connection client(causeway.port());
    BOOST_TEST(get(client, "404").status == 200);
    causeway.signal(SIGTERM);
    causeway.wait_for_line("stopping in 3600000 ms: ");
    causeway.signal(SIGTERM);
    causeway.wait_for_line("stopping: no new connections");
    BOOST_TEST(client.receive_rest() == ""); // closed properly
    client.close();
    BOOST_TEST(causeway.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_third_signal_ends_it_at_once)
{
    listener backend;
    causeway_process causeway(in_front_of(
        {backend.address()}, {"--threads=1", "--reply-timeout=1h", "--drain-delay=1h", "--drain-timeout=1h"}));
    auto upstream = backend.accept();
    connection client(causeway.port());
    send_request(client, "404");
    upstream.receive_line();
    causeway.signal(SIGTERM);
    causeway.wait_for_line("stopping in ");
    causeway.signal(SIGTERM);
    causeway.wait_for_line("stopping: no new connections");
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 1);
    BOOST_TEST(number_before(" requests cut", causeway.wait_for_line("requests cut")) == 1U);
}

BOOST_AUTO_TEST_CASE(a_running_bridge_takes_another_delay)
{
    const temporary_file config("drain-delay = 1h\n");
    causeway_process causeway(in_front_of({"127.0.0.1:1"}, {"--config=" + config.path()}));
    causeway.port();
    config.write("drain-delay = 1ms\n");
    causeway.signal(SIGHUP);
    causeway.wait_for_line("reload: drain-delay = 1ms applied; it was 1h");
    causeway.signal(SIGTERM);
    causeway.wait_for_line("stopping in 1 ms: ");
    BOOST_TEST(causeway.wait() == 0);
}

BOOST_FIXTURE_TEST_CASE(in_a_rolling_restart_both_serve_during_the_delay_and_no_request_fails, fixture)
{
    causeway_process next({"--listen=" + causeway.address(), "--upstream=" + code_server.address(), "--threads=2",
                           "--share-port", "--drain-delay=0s"});
    next.port();
    steady_load load(next.port(), 8, steady_load::only_right_answers, steady_load::when_closed::connect_again);
    causeway.signal(SIGTERM);
    causeway.wait_for_line("stopping in ");
    load.wait_for_answers(200);
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 0);
    load.wait_for_answers(200);
    BOOST_TEST(load.stop() == "");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
