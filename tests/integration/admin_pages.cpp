// What an operator sees of a running bridge on its admin pages: metrics, health, readiness.
#include "blocking.hpp"
#include "kit.hpp"
#include "load.hpp"
#include "net/rethrow.hpp"
#include "process.hpp"
#include "protocols/codes/protocol.hpp"
#include "scrape.hpp"
#include "service/admin_server.hpp"
#include "service/event_loop.hpp"
#include "service/live_feed.hpp"
#include "service/loop_survey.hpp"

#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/resource.h>

#include <atomic>
#include <cstdint>
#include <future>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace causeway::test {
namespace {

std::string outcome(std::string_view name) { return "causeway_requests_total{outcome=\"" + std::string(name) + "\"}"; }

const std::string on_any_port = "--admin=127.0.0.1:0";

bool is_ready(std::uint16_t admin_port) { return get_page(admin_port, "/readyz").status == 200; }

// A bridge on one thread, in front of a backend that the test plays.
struct fixture {
    explicit fixture(const words& options = {})
        : causeway(in_front_of({backend.address()}, with_admin_pages(options)))
        , upstream(backend.accept())
    {
    }

    static words with_admin_pages(words options)
    {
        options.push_back("--threads=1");
        options.push_back(on_any_port);
        return options;
    }

    listener backend;
    causeway_process causeway;
    connection upstream;
};

} // namespace

BOOST_AUTO_TEST_SUITE(admin_pages)

// Pages

BOOST_FIXTURE_TEST_CASE(the_pages_are_on_their_own_port_and_on_no_other, fixture)
{
    for (const auto* path : {"/metrics", "/healthz", "/readyz"}) {
        wait_until([&] { return is_ready(causeway.admin_port()); });
        BOOST_TEST(get_page(causeway.admin_port(), path).status == 200);
        BOOST_TEST(get_page(causeway.port(), path).status == 404);
        BOOST_TEST(get_page(causeway.admin_port(), std::string("http://localhost") + path + "?x").status == 200);
    }
    BOOST_TEST(get_page(causeway.admin_port(), "http://localhost").status == 403); // the live page, for the Host `test`
    BOOST_TEST(get_page(causeway.admin_port(), "ftp://localhost/healthz").status == 404);
    BOOST_TEST(get_page(causeway.admin_port(), "/x?statusCode=404").status == 404);
    BOOST_TEST(get_page(causeway.admin_port(), "/metrics/").status == 404);
}

BOOST_FIXTURE_TEST_CASE(a_page_is_plain_text_that_nobody_keeps, fixture)
{
    const auto health = get_page(causeway.admin_port(), "/healthz");
    BOOST_TEST(health.body == "ok\n");
    BOOST_TEST(health.head.find("\r\nContent-Type: text/plain; charset=utf-8\r\n") != std::string::npos);
    BOOST_TEST(health.head.find("\r\nCache-Control: no-store\r\n") != std::string::npos);
    const auto metrics = get_page(causeway.admin_port(), "/metrics?name[]=x");
    BOOST_TEST(metrics.status == 200);
    BOOST_TEST(metrics.head.find("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n") !=
               std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(the_pages_are_only_to_be_read, fixture)
{
    BOOST_TEST(get_page(causeway.admin_port(), "/metrics", "POST").status == 405);
    connection client(causeway.admin_port());
    client.send("HEAD /healthz HTTP/1.0\r\n\r\n");
    const auto head = client.receive_rest();
    BOOST_TEST(head.starts_with("HTTP/1.1 200 OK\r\n"));
    BOOST_TEST(head.ends_with("\r\n\r\n"));
}

// Connections

BOOST_FIXTURE_TEST_CASE(each_answer_closes_its_connection, fixture)
{
    for (const auto* path : {"/healthz", "/nowhere"}) {
        connection client(causeway.admin_port());
        client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n\r\n");
        const auto answer = client.receive_rest();
        BOOST_TEST(answer.find("\r\nConnection: close\r\n") != std::string::npos, answer);
    }
}

BOOST_FIXTURE_TEST_CASE(as_many_silent_clients_as_there_are_places_keep_nobody_out_for_longer_than_a_moment, fixture)
{
    std::vector<connection> silent;
    while (silent.size() != service::admin_server::most_connections)
        silent.emplace_back(causeway.admin_port());
    const auto began = clock::now();
    BOOST_TEST(get_page(causeway.admin_port(), "/healthz").status == 200);
    BOOST_TEST((clock::now() - began < 10s));
}

// Counters

BOOST_AUTO_TEST_CASE(counters_add_up_while_requests_wait_and_afterwards)
{
    fixture test({"--reply-timeout=300ms", "--max-pending=3"});
    std::vector<connection> clients;
    for (const auto* code : {"200", "404", "500"})
        send_request(clients.emplace_back(test.causeway.port()), code);
    BOOST_TEST(test.upstream.receive(12).size() == 12U);
    BOOST_TEST(get(test.causeway.port(), "502").status == 503); // one too many

    const auto middle = scrape_of(test.causeway.admin_port());
    BOOST_TEST(adds_up(middle));
    BOOST_TEST(middle.at("causeway_requests_received_total") == 4);
    BOOST_TEST(middle.at("causeway_requests_waiting{state=\"wire\"}") == 3);
    BOOST_TEST(middle.at("causeway_oldest_waiting_seconds") > 0);
    BOOST_TEST(middle.at("causeway_http_connections") >= 3);
    BOOST_TEST(middle.at(outcome("overloaded")) == 1);

    test.upstream.send("Code 404: Not Found\nsenseless\nCode 201: nobody asked\n");
    BOOST_TEST(receive_answer(clients[1]).status == 200);
    BOOST_TEST(receive_answer(clients[0]).status == 504);
    BOOST_TEST(receive_answer(clients[2]).status == 504);
    BOOST_TEST(get_page(test.causeway.port(), "/x").status == 404);

    const auto end = scrape_of(test.causeway.admin_port());
    BOOST_TEST(adds_up(end));
    BOOST_TEST(sum_of(end, "causeway_requests_waiting") == 0);
    BOOST_TEST(end.at("causeway_oldest_waiting_seconds") == 0);
    BOOST_TEST(end.at(outcome("reply")) == 1);
    BOOST_TEST(end.at(outcome("timed_out")) == 2);
    BOOST_TEST(end.at("causeway_http_responses_total{status=\"200\"}") == 1);
    BOOST_TEST(end.at("causeway_http_responses_total{status=\"404\"}") == 1);
    BOOST_TEST(end.at("causeway_http_responses_total{status=\"503\"}") == 1);
    BOOST_TEST(end.at("causeway_http_responses_total{status=\"504\"}") == 2);
    BOOST_TEST(end.at("causeway_request_duration_seconds_count") == 3);
    BOOST_TEST(end.at("causeway_upstream_reply_duration_seconds_count") == 1);
    const auto of_upstream = "{upstream=\"" + test.backend.address() + "\"";
    BOOST_TEST(end.at("causeway_upstream_replies_total" + of_upstream + ",result=\"delivered\"}") == 1);
    BOOST_TEST(end.at("causeway_upstream_replies_total" + of_upstream + ",result=\"late\"}") == 1);
    BOOST_TEST(end.at("causeway_upstream_replies_total" + of_upstream + ",result=\"unreadable\"}") == 1);
    BOOST_TEST(end.at("causeway_upstream_up" + of_upstream + "}") == 1);
}

BOOST_AUTO_TEST_CASE(counters_of_all_loops_add_up_in_the_middle_of_a_load)
{
    code_server_process code_server(on_a_free_port);
    causeway_process causeway(
        in_front_of({code_server.address()}, {"--threads=3", "--reply-timeout=20s", on_any_port}));
    steady_load load(causeway.port(), 8);
    const auto port = causeway.admin_port();
    double before = 0;
    for (int look = 0; look != 20; ++look) {
        load.wait_for_answers(20);
        const auto values = scrape_of(port);
        BOOST_TEST(adds_up(values));
        BOOST_TEST(values.at("causeway_requests_received_total") > before);
        before = values.at("causeway_requests_received_total");
    }
    BOOST_TEST(load.stop() == "");
    const auto after = scrape_of(port);
    BOOST_TEST(after.at(outcome("reply")) == static_cast<double>(load.answers(200)));
    BOOST_TEST(after.at("causeway_event_loops_responding") == 3);
    BOOST_TEST(after.at("causeway_upstream_up{upstream=\"" + code_server.address() + "\"}") == 3);
}

// Health and readiness

// Two event loops, with the admin pages on a third, as in the program.
class process_in_this_process {
public:
    process_in_this_process()
    {
        for (int i = 0; i != 2; ++i) {
            const upstream::pool_settings pool{
                {net::host_port{"127.0.0.1", backend_.port()}}, 10s, 1s, 1024, false, codes::protocol()};
            loops_.emplace_back(tcp::endpoint(asio::ip::address_v4::loopback(), 0), net::port_sharing::afterwards, pool,
                                http::time_limits{}, limits_);
        }
        survey_.emplace(io_, loops_);
        const admin::facts facts{"0", {"backend:1"}};
        const auto look = [this](steady_timer& timer) { return survey_->take(timer); };
        live_feed_.emplace(io_, loops_, facts, look, std::nullopt);
        pages_.emplace(io_, service::listen_for_admin(io_, {{"127.0.0.1", free_port_}, false}), facts, look,
                       *live_feed_);
        pages_->start();
        for (auto& loop : loops_)
            threads_.emplace_back([this, &loop] {
                loop.run();
                survey_->ended(loop);
            });
        threads_.emplace_back([this] { io_.run(); });
    }

    ~process_in_this_process()
    {
        for (auto& loop : loops_)
            loop.cut();
        asio::post(io_, [this] { pages_->stop(); });
    }
    process_in_this_process(const process_in_this_process&) = delete;
    process_in_this_process& operator=(const process_in_this_process&) = delete;

    std::uint16_t admin_port() const { return free_port_; }
    service::event_loop& loop() { return loops_.front(); }

private:
    static std::uint16_t find_free_port() { return listener().port(); }

    listener backend_;
    std::uint16_t free_port_ = find_free_port();
    asio::io_context io_;
    service::shared_limits limits_{net::limit(16), net::limit(16)};
    std::list<service::event_loop> loops_;
    std::optional<service::loop_survey> survey_;
    std::optional<service::live_feed> live_feed_;
    std::optional<service::admin_server> pages_;
    std::vector<std::jthread> threads_;
};

BOOST_AUTO_TEST_CASE(a_loop_that_does_not_turn_is_told_and_costs_no_scrape_its_answer)
{
    process_in_this_process process;
    const auto port = process.admin_port();
    BOOST_TEST(get_page(port, "/healthz").status == 200);
    wait_until([&] { return is_ready(port); });
    const auto connects_before = sum_of(scrape_of(port), "causeway_upstream_connects_total");

    std::promise<void> goes_on;
    admin::loop_figures figures;
    process.loop().report(figures, [&] { goes_on.get_future().wait_for(patience); });
    const auto health = get_page(port, "/healthz");
    BOOST_TEST(health.status == 503);
    BOOST_TEST(health.body == "1 of 2 event loops did not answer within 1000 ms\n");
    BOOST_TEST(get_page(port, "/readyz").status == 503);
    const auto values = scrape_of(port);
    BOOST_TEST(values.at("causeway_event_loops_responding") == 1);
    BOOST_TEST(sum_of(values, "causeway_upstream_connects_total") == connects_before); // no counter goes down

    goes_on.set_value();
    wait_until([&] { return get_page(port, "/healthz").status == 200; });
    BOOST_TEST(scrape_of(port).at("causeway_event_loops_responding") == 2);
}

// The second asks when the answers to the first have come, but the first has not gone on yet.
BOOST_AUTO_TEST_CASE(two_that_ask_for_the_figures_do_not_make_each_other_believe_that_a_loop_is_silent)
{
    process_in_this_process process;
    const auto port = process.admin_port();
    std::vector<std::jthread> probes;
    std::atomic<int> unwell = 0;
    for (int i = 0; i != 8; ++i)
        probes.emplace_back([&] {
            for (int j = 0; j != 50; ++j)
                unwell += get_page(port, "/healthz").status == 200 ? 0 : 1;
        });
    probes.clear();
    BOOST_TEST(unwell == 0);
}

BOOST_AUTO_TEST_CASE(a_loop_notes_what_happens_while_somebody_watches_and_no_longer)
{
    process_in_this_process process;
    const auto notes = [&] {
        bool fetched = false;
        admin::happenings happenings;
        process.loop().fetch_happenings(happenings, [&] { fetched = true; });
        std::promise<void> asked;
        admin::loop_figures figures;
        process.loop().report(figures, [&] { asked.set_value(); });
        asked.get_future().wait();
        return fetched;
    };
    BOOST_TEST(!notes());
    {
        connection watcher(process.admin_port());
        watcher.send("GET /live/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
        wait_until(notes);
    }
    wait_until([&] { return !notes(); });
}

BOOST_AUTO_TEST_CASE(it_is_ready_while_it_has_an_upstream_and_does_not_drain)
{
    std::optional<listener> backend(std::in_place);
    const auto address = backend->address();
    const auto backend_port = backend->port();
    backend.reset();
    causeway_process causeway(
        in_front_of({address}, {"--threads=1", "--reconnect-max=50ms", "--reply-timeout=20s", on_any_port}));
    const auto port = causeway.admin_port();
    const auto unready = get_page(port, "/readyz");
    BOOST_TEST(unready.status == 503);
    BOOST_TEST(unready.body == "1 of 1 event loops have no connection to an upstream\n");
    BOOST_TEST(get_page(port, "/healthz").status == 200);

    backend.emplace(backend_port);
    std::optional upstream(backend->accept());
    wait_until([&] { return is_ready(port); });
    upstream->send("Code 404: as a sign of life\n"); // so the next connection has nothing to prove
    wait_until([&] { return sum_of(scrape_of(port), "causeway_upstream_replies_total") == 1; });
    upstream.reset();
    backend.reset();
    wait_until([&] { return !is_ready(port); });

    backend.emplace(backend_port);
    upstream.emplace(backend->accept());
    wait_until([&] { return is_ready(port); });
    connection client(causeway.port());
    send_request(client, "404");
    BOOST_TEST(upstream->receive_line() == "404\n");
    causeway.signal(SIGTERM);
    causeway.wait_for_line("stopping");
    wait_until([&] { return !is_ready(port); });
    BOOST_TEST(get_page(port, "/readyz").body == "draining\n");
    BOOST_TEST(get_page(port, "/healthz").status == 200);
    const auto values = scrape_of(port);
    BOOST_TEST(values.at("causeway_draining") == 1);
    BOOST_TEST(values.at("causeway_requests_waiting{state=\"wire\"}") == 1);
    upstream->send("Code 404: Not Found\n");
    BOOST_TEST(receive_answer(client).status == 200);
    client.close();
    BOOST_TEST(causeway.wait() == 0);
}

BOOST_AUTO_TEST_CASE(while_it_drains_loops_that_have_ended_still_count)
{
    listener backend;
    causeway_process causeway(in_front_of({backend.address()}, {"--threads=4", "--reply-timeout=20s", on_any_port}));
    const auto port = causeway.admin_port();
    std::vector<connection> upstreams;
    while (upstreams.size() != 4)
        upstreams.push_back(backend.accept());
    for (int i = 0; i != 20; ++i) // on whichever loop
        BOOST_TEST(get_page(causeway.port(), "/x").status == 404);
    wait_until([&] { return is_ready(port); });
    connection client(causeway.port());
    send_request(client, "404");
    causeway.signal(SIGTERM);
    // The loops that have nothing to do end within a second.
    wait_until([&] {
        std::size_t closed = 0;
        for (const auto& upstream : upstreams)
            closed += upstream.can_receive() ? 1 : 0;
        return closed == 4; // three ends, and the question
    });
    const auto values = scrape_of(port);
    BOOST_TEST(values.at("causeway_event_loops_responding") == 4);
    BOOST_TEST(values.at("causeway_http_responses_total{status=\"404\"}") == 20);
    BOOST_TEST(get_page(port, "/healthz").status == 200);
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 1); // the request was cut off
}

// The address

BOOST_AUTO_TEST_CASE(an_address_that_is_in_use_is_an_error_when_it_was_asked_for)
{
    listener other;
    causeway_process causeway(in_front_of({"127.0.0.1:1"}, {"--threads=1", "--admin=" + other.address()}));
    BOOST_TEST(causeway.wait() == 1);
    BOOST_TEST(causeway.standard_error().starts_with("causeway: cannot listen on " + other.address()));
    BOOST_TEST(causeway.standard_error().find("another address with --admin") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_default_address_is_taken_when_it_is_free_and_until_then_it_says_so_and_serves)
{
    std::optional<listener> other(std::in_place);
    const auto port = other->port();
    listener backend;
    causeway_process causeway(
        in_front_of({backend.address()}, {"--threads=1", "--admin=" + other->address() + " if free"}));
    causeway.wait_for_line(other->address() + " is in use");
    auto upstream = backend.accept();
    connection client(causeway.port());
    send_request(client, "404");
    upstream.receive_line();
    upstream.send("Code 404: Not Found\n");
    BOOST_TEST(receive_answer(client).status == 200);

    other.reset();
    BOOST_TEST(causeway.admin_port() == port);
    BOOST_TEST(get_page(port, "/healthz").status == 200);
}

BOOST_AUTO_TEST_CASE(the_clients_come_first_where_the_default_address_is_theirs)
{
    const auto port = listener().port();
    const auto address = "127.0.0.1:" + std::to_string(port);
    causeway_process causeway(
        {"--listen=" + address, "--upstream=127.0.0.1:1", "--threads=1", "--admin=" + address + " if free"});
    causeway.wait_for_line(address + " is in use");
    BOOST_TEST(get_page(causeway.port(), "/x").status == 404);
}

BOOST_AUTO_TEST_CASE(while_it_tries_the_admin_address_again_no_error_ends_it)
{
    std::optional<listener> other(std::in_place);
    const auto port = other->port();
    listener backend;
    causeway_process causeway(
        in_front_of({backend.address()}, {"--threads=1", "--admin=" + other->address() + " if free"}));
    auto upstream = backend.accept();
    connection client(causeway.port());
    BOOST_TEST(get_page(causeway.port(), "/x").status == 404);

    rlimit files{};
    BOOST_TEST_REQUIRE(prlimit(causeway.id(), RLIMIT_NOFILE, nullptr, &files) == 0);
    const rlimit none{0, files.rlim_max};
    BOOST_TEST_REQUIRE(prlimit(causeway.id(), RLIMIT_NOFILE, &none, nullptr) == 0);
    causeway.wait_for_line("no metrics yet: cannot listen on " + other->address() + ": Too many open files");
    send_request(client, "404");
    upstream.receive_line();
    upstream.send("Code 404: Not Found\n");
    BOOST_TEST(receive_answer(client).status == 200);

    BOOST_TEST_REQUIRE(prlimit(causeway.id(), RLIMIT_NOFILE, &files, nullptr) == 0);
    other.reset();
    BOOST_TEST(causeway.admin_port() == port);
}

BOOST_AUTO_TEST_CASE(a_bridge_that_waits_for_its_admin_address_stops_when_it_is_told_to)
{
    listener other;
    causeway_process causeway(in_front_of({"127.0.0.1:1"}, {"--threads=1", "--admin=" + other.address() + " if free"}));
    causeway.port();
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 0);
}

BOOST_AUTO_TEST_CASE(without_admin_pages_it_says_nothing_of_them)
{
    causeway_process causeway(in_front_of({"127.0.0.1:1"}, {"--threads=1", "--admin=off"}));
    causeway.port();
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 0);
    BOOST_TEST(causeway.output().find("metrics") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(in_a_rolling_restart_the_next_one_takes_over_the_admin_address)
{
    listener backend;
    causeway_process first(in_front_of({backend.address()}, {"--threads=1", on_any_port}));
    const auto port = first.admin_port();
    causeway_process second({"--listen=" + first.address(), "--upstream=" + backend.address(), "--threads=1",
                             "--share-port", "--admin=127.0.0.1:" + std::to_string(port)});
    second.wait_for_line("127.0.0.1:" + std::to_string(port) + " is in use");
    second.port();
    BOOST_TEST(get_page(port, "/healthz").status == 200); // the first one's
    first.signal(SIGTERM);
    BOOST_TEST(first.wait() == 0);
    BOOST_TEST(second.admin_port() == port);
    BOOST_TEST(get_page(port, "/healthz").status == 200);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
