// What the access log learns of each request: its outcome, its id, and how its time is split, to the millisecond.
#include "http/access.hpp"
#include "http/server.hpp"
#include "kit.hpp"
#include "net/limit.hpp"
#include "numbered.hpp"
#include "protocols/codes/protocol.hpp"
#include "service/code_lookup.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace causeway::test {
namespace {

using namespace std::string_literals;
using boost::beast::http::status;

// What was recorded of a request; times in milliseconds.
struct record {
    std::string id, method, target, outcome, upstream;
    unsigned status = 0;
    bool sent = false;
    long read = 0, wait = 0, wire = 0, write = 0;
};

long in_ms(clock::duration duration) { return static_cast<long>(duration / 1ms); }

class record_keeper final : public http::access_recorder {
public:
    void make_id(std::string& id) override { id = "made-" + std::to_string(++made_); }
    void record(const http::access& access, std::string_view peer) override
    {
        BOOST_TEST(peer.starts_with("127.0.0.1:"));
        const auto& trace = access.trace;
        const bool waited = trace.ended_at != clock::time_point();
        const auto ended = waited ? trace.ended_at : access.trace.read_at;
        const auto written = trace.upstream.empty() ? ended : trace.written_at;
        records.push_back({access.id, std::string(access.method), access.target, std::string(trace.outcome),
                           std::string(trace.upstream), access.status, access.sent,
                           in_ms(access.trace.read_at - access.began_at), in_ms(written - access.trace.read_at),
                           in_ms(ended - written), in_ms(access.ended_at - ended)});
    }
    void sweep() override {}

    std::vector<test::record> records;

private:
    int made_ = 0;
};

// Answers each code 30 ms after it has arrived, one after the other; 000 never, and 999 ends the connection.
awaitable<> slow_backend(peer& peer)
{
    for (;;) {
        const auto code = co_await peer.read_code();
        if (code.empty() || code == "999")
            co_return;
        if (code == "000")
            continue;
        co_await sleep(30ms);
        co_await peer.reply(code);
    }
}

// A server of codes with an access log, in front of a pool with one upstream.
struct fixture {
    asio::io_context io;
    net::limit pending{2};
    net::limit connections{100};
    std::size_t window = 16;
    bool has_backend = true;
    record_keeper log;
    http::access_recorder* recorder = &log;
    std::optional<backend_double> backend;
    std::optional<upstream::pool> pool;
    std::optional<service::code_lookup> lookup;
    std::optional<http::server> server;

    using story = awaitable<> (*)(fixture&);

    void play(story what_happens)
    {
        backend.emplace(io, slow_backend);
        auto settings = settings_for({backend->address()});
        settings.window = window;
        settings.reply_timeout = 200ms;
        if (!has_backend)
            backend->stop();
        pool.emplace(io, settings, pending);
        lookup.emplace(*pool);
        server.emplace(net::listen(io, {asio::ip::address_v4::loopback(), 0}, net::port_sharing::never), *lookup,
                       http::time_limits{.reading = 2s}, connections);
        server->record_accesses(recorder);
        asio::co_spawn(io, server->run(), [](const std::exception_ptr& thrown) { BOOST_TEST(!thrown); });
        pool->start();
        run(io, tell(*this, what_happens));
    }

    static awaitable<> tell(fixture& test, story what_happens)
    {
        co_await settle();
        co_await what_happens(test);
        test.server->drain();
        co_await sleep(3s);
        test.pool->stop();
        co_await test.backend->end();
    }

    awaitable<http_client> connect()
    {
        http_client client(io.get_executor());
        co_await client.connect(server->endpoint());
        co_return client;
    }

    void wait_for_replies_for(std::chrono::nanoseconds reply_timeout)
    {
        auto settings = settings_for({backend->address()});
        settings.reply_timeout = reply_timeout;
        pool->apply(settings);
    }

    // Waits until so many requests have been recorded.
    awaitable<> recorded(std::size_t count)
    {
        while (log.records.size() < count)
            co_await sleep(1ms);
    }
};

std::string get(std::string_view code, std::string_view fields = {}, std::string_view method = "GET")
{
    return std::string(method) + " /?statusCode=" + std::string(code) + " HTTP/1.1\r\nHost: test\r\n" +
           std::string(fields) + "\r\n";
}

void check_split(const record& record, long read, long wait, long wire, long write)
{
    constexpr long tolerance = 3; // a tick or two for each step
    BOOST_TEST_CONTEXT(record.target << ": read " << record.read << ", wait " << record.wait << ", wire " << record.wire
                                     << ", write " << record.write)
    {
        BOOST_TEST((record.read >= read && record.read <= read + tolerance));
        BOOST_TEST((record.wait >= wait && record.wait <= wait + tolerance));
        BOOST_TEST((record.wire >= wire && record.wire <= wire + tolerance));
        BOOST_TEST((record.write >= write && record.write <= write + tolerance));
    }
}

// Sends `request` on its own connection and returns what was recorded of it.
awaitable<record> record_of(fixture& test, std::string request, status expected)
{
    auto client = co_await test.connect();
    const auto before = test.log.records.size();
    co_await client.send(std::move(request));
    const auto response = co_await client.receive();
    BOOST_TEST(response.result() == expected);
    co_await test.recorded(before + 1);
    BOOST_TEST(response["X-Request-Id"] == test.log.records.back().id);
    co_return test.log.records.back();
}

awaitable<bool> has_id(http_client& client)
{
    co_await client.send(get("404", "X-Request-Id: mine\r\n"));
    const auto response = co_await client.receive();
    co_return response.count("X-Request-Id") != 0;
}

awaitable<> check_outcome(fixture& test, std::string request, status expected, std::string_view outcome)
{
    BOOST_TEST_CONTEXT(request)
    {
        const auto record = co_await record_of(test, std::move(request), expected);
        BOOST_TEST(record.outcome == outcome);
        BOOST_TEST(record.status == static_cast<unsigned>(expected));
        BOOST_TEST(record.sent);
    }
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(access, fixture)

BOOST_AUTO_TEST_CASE(each_outcome_is_recorded_under_the_name_that_the_metrics_have_for_it)
{
    play([](fixture& test) -> awaitable<> {
        co_await check_outcome(test, get("404"), status::ok, "reply");
        BOOST_TEST(test.log.records.back().upstream == net::to_string(test.backend->address()));
        BOOST_TEST(test.log.records.back().method == "GET");
        BOOST_TEST(test.log.records.back().target == "/?statusCode=404");
        co_await check_outcome(test, get("000"), status::gateway_timeout, "timed_out");
        {
            auto held = co_await test.connect();
            co_await held.send(get("000") + get("001"));
            co_await settle();
            co_await check_outcome(test, get("404"), status::service_unavailable, "overloaded");
        }
        co_await test.recorded(5);
        test.wait_for_replies_for(5s);
        co_await check_outcome(test, get("999"), status::bad_gateway, "connection_lost");
        co_await check_outcome(test, get("999"), status::bad_gateway, "connection_lost"); // at once
    });
}

BOOST_AUTO_TEST_CASE(without_an_upstream_it_is_unavailable)
{
    has_backend = false;
    play([](fixture& test) -> awaitable<> {
        co_await sleep(1s);
        co_await check_outcome(test, get("404"), status::service_unavailable, "unavailable");
        BOOST_TEST(test.log.records.back().upstream == "");
    });
}

BOOST_AUTO_TEST_CASE(a_key_that_is_taken_is_a_duplicate)
{
    backend.emplace(io, answer_nothing);
    auto settings = settings_for({backend->address()});
    settings.protocol = numbered::protocol();
    upstream::pool numbers(io, settings, pending);
    numbers.start();
    run(io, [](upstream::pool& asked, backend_double& answers_nothing) -> awaitable<> {
        co_await settle();
        net::trace first{.read_at = clock::now()}, second{.read_at = clock::now()};
        steady_timer one(co_await asio::this_coro::executor), two(one.get_executor());
        asio::co_spawn(one.get_executor(), asked.ask(numbered::question_for(7, "a"), one, &first), asio::detached);
        co_await settle();
        co_await asked.ask(numbered::question_for(7, "b"), two, &second);
        BOOST_TEST(second.outcome == "duplicate");
        asked.stop();
        co_await settle();
        BOOST_TEST(first.outcome == "stopped");
        co_await answers_nothing.end();
    }(numbers, *backend));
}

BOOST_AUTO_TEST_CASE(a_request_that_is_refused_is_recorded_too)
{
    play([](fixture& test) -> awaitable<> {
        const std::pair<std::string, status> refused[]{
            {get("40"), status::bad_request},
            {"GET /other HTTP/1.1\r\nHost: test\r\n\r\n", status::not_found},
            {get("404", {}, "POST"), status::method_not_allowed},
            {get("404", "Host: again\r\n"), status::bad_request},
            {get("404", "Content-Length: 1000000\r\n", "POST"), status::payload_too_large},
            {get("404", "X: " + std::string(9'000, 'x') + "\r\n"), status::request_header_fields_too_large},
            {get("404", "Expect: more\r\n"), status::expectation_failed},
            {"GET /" + std::string(5'000, 'x') + " HTTP/1.1\r\nHost: test\r\n\r\n", status::uri_too_long},
            {"nonsense\r\n\r\n", status::bad_request},
        };
        for (const auto& [request, expected] : refused) {
            co_await check_outcome(test, request, expected, "");
            BOOST_TEST(test.log.records.back().upstream == "");
            const bool line_came = expected != status::uri_too_long && !request.starts_with("nonsense");
            BOOST_TEST(test.log.records.back().method.empty() != line_came);
        }
        const auto late = co_await record_of(test, "GET / HTTP/1.1\r\n", status::request_timeout);
        BOOST_TEST(late.target == "/");
        BOOST_TEST(late.read >= 1'500);
        BOOST_TEST(late.read <= 2'600);
    });
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_away_has_no_status)
{
    play([](fixture& test) -> awaitable<> {
        test.wait_for_replies_for(10s);
        {
            auto client = co_await test.connect();
            co_await client.send(get("000"));
            co_await settle();
        }
        co_await test.recorded(1);
        BOOST_TEST(test.log.records[0].outcome == "abandoned");
        BOOST_TEST(!test.log.records[0].sent);

        {
            auto client = co_await test.connect();
            co_await client.send(get("000") + get("000"));
            co_await settle();
        }
        co_await test.recorded(3);
        for (const auto& record : test.log.records) {
            BOOST_TEST(record.outcome == "abandoned");
            BOOST_TEST(!record.sent);
        }
    });
}

BOOST_AUTO_TEST_CASE(a_request_that_is_cut_off_is_recorded_as_stopped)
{
    play([](fixture& test) -> awaitable<> {
        auto client = co_await test.connect();
        co_await client.send(get("000"));
        co_await settle();
        test.server->cut();
        test.pool->stop();
        co_await test.recorded(1);
        BOOST_TEST(test.log.records[0].outcome == "stopped");
        BOOST_TEST(!test.log.records[0].sent);
    });
}

BOOST_AUTO_TEST_CASE(the_time_of_a_request_is_split_into_reading_waiting_the_wire_and_writing)
{
    window = 1;
    play([](fixture& test) -> awaitable<> {
        auto first = co_await test.connect();
        auto second = co_await test.connect();
        const auto request = get("404");
        co_await first.send(request.substr(0, 10));
        co_await sleep(50ms);
        co_await first.send(request.substr(10));
        co_await settle();
        co_await second.send(get("500"));
        co_await first.receive();
        co_await second.receive();
        co_await test.recorded(2);
        check_split(test.log.records[0], 50, 0, 30, 0);
        check_split(test.log.records[1], 0, 28, 30, 0); // a place is free when the first has its reply
    });
}

BOOST_AUTO_TEST_CASE(without_a_reply_the_time_counts_where_it_was_spent)
{
    window = 1;
    play([](fixture& test) -> awaitable<> {
        auto first = co_await test.connect();
        auto second = co_await test.connect();
        co_await first.send(get("000"));
        co_await settle();
        co_await second.send(get("500"));
        co_await first.receive();
        co_await second.receive();
        co_await test.recorded(2);
        check_split(test.log.records[0], 0, 0, 200, 0);
        BOOST_TEST(test.log.records[1].wait >= 195);
    });
}

BOOST_AUTO_TEST_CASE(pipelined_requests_have_a_record_each_in_their_order_and_with_their_own_ids)
{
    play([](fixture& test) -> awaitable<> {
        test.pending.set_bound(100);
        auto client = co_await test.connect();
        co_await client.send(get("001", "X-Request-Id: one\r\n") + get("40") + get("003", "x-request-id: three\r\n") +
                             get("004"));
        std::vector<std::string> ids;
        while (ids.size() != 4) {
            const auto response = co_await client.receive();
            ids.emplace_back(response["X-Request-Id"]);
        }
        co_await test.recorded(4);
        const auto& records = test.log.records;
        BOOST_TEST((ids == std::vector{"one"s, records[1].id, "three"s, records[3].id}));
        BOOST_TEST(records[1].id != records[3].id);
        const std::vector codes{"001"s, "40"s, "003"s, "004"s};
        for (std::size_t i = 0; i != codes.size(); ++i)
            BOOST_TEST(records[i].target == "/?statusCode=" + codes[i]);
        BOOST_TEST(records[1].outcome == "");
        BOOST_TEST(records[1].status == 400U);
        check_split(records[1], 0, 0, 0, 30); // it waits for the answer before it
        check_split(records[3], 0, 0, 90, 0);
    });
}

// The drain finds it on a connection that has been idle for a while.
BOOST_AUTO_TEST_CASE(a_request_that_nobody_has_read_when_the_drain_begins_is_recorded)
{
    play([](fixture& test) -> awaitable<> {
        auto client = co_await test.connect();
        BOOST_TEST(co_await has_id(client));
        co_await sleep(2s);
        client.socket.write_some(asio::buffer(get("404")));
        test.server->drain();
        const auto response = co_await client.receive();
        BOOST_TEST(response.count("X-Request-Id") == 1U);
        co_await test.recorded(2);
    });
}

BOOST_AUTO_TEST_CASE(a_sane_id_is_taken_over_and_another_is_replaced)
{
    play([](fixture& test) -> awaitable<> {
        const auto id_for = [&test](std::string fields, std::string_view method) {
            return [](test::fixture& inner, std::string bytes, bool head) -> awaitable<std::string> {
                auto client = co_await inner.connect();
                co_await client.send(std::move(bytes));
                const auto response = co_await client.receive(head);
                BOOST_TEST(response.count("X-Request-Id") == 1U);
                co_return std::string(response["X-Request-Id"]);
            }(test, get("404", fields, method), method == "HEAD");
        };
        const auto sane = co_await id_for("X-Request-Id: 5f2c-Q.9_z\r\n", "GET");
        BOOST_TEST(sane == "5f2c-Q.9_z");
        const auto head = co_await id_for("X-Request-Id: head\r\n", "HEAD");
        BOOST_TEST(head == "head");
        const auto refused = co_await id_for("X-Request-Id: early\r\nHost: again\r\n", "GET");
        BOOST_TEST(refused == "early");
        for (const auto& insane : {"", "a b", "a\"b", "a,b", "\xff"}) {
            const auto id = co_await id_for("X-Request-Id: "s + insane + "\r\n", "GET");
            BOOST_TEST(id.starts_with("made-"));
        }
        const auto repeated = co_await id_for("X-Request-Id: a\r\nX-Request-Id: b\r\n", "GET");
        BOOST_TEST(repeated.starts_with("made-"));
        const auto none = co_await id_for("", "GET");
        BOOST_TEST(none.starts_with("made-"));
        BOOST_TEST(none != repeated);
    });
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_open_is_recorded_from_its_next_request_on_and_until_that_ends)
{
    recorder = nullptr;
    play([](fixture& test) -> awaitable<> {
        auto client = co_await test.connect();
        const auto before = co_await has_id(client);
        BOOST_TEST(!before);
        test.server->record_accesses(&test.log);
        const auto during = co_await has_id(client);
        BOOST_TEST(during);
        test.server->record_accesses(nullptr);
        const auto after = co_await has_id(client);
        BOOST_TEST(!after);
        BOOST_TEST(test.log.records.size() == 1U);
    });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
