// The pool against backends that behave, misbehave, go down and come back.
#include "kit.hpp"
#include "net/rethrow.hpp"
#include "net/self_connection.hpp"
#include "net/until_first.hpp"
#include "net/wakeup.hpp"
#include "protocols/codes/protocol.hpp"
#include "protocols/codes/reply.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <utility>

namespace causeway::test {
namespace {

using upstream::backoff;
using upstream::failure;
using upstream::pool;
using upstream::pool_settings;
using namespace asio::experimental::awaitable_operators;

awaitable<upstream::outcome> ask(pool& pool, std::string_view code)
{
    steady_timer deadline(co_await asio::this_coro::executor);
    co_return co_await pool.ask(codes::question_for(codes::code::parse(code).value()), deadline);
}

std::string text(const upstream::outcome& answer) { return answer ? *answer : "no reply"; }

bool failed_with(failure why, const upstream::outcome& answer)
{
    return answer.has_error() && upstream::why_failed(answer.error()) == why;
}

// Asks for all codes at once and returns the answers in the order of the codes.
awaitable<std::vector<upstream::outcome>> ask_all(pool& pool, std::vector<std::string> codes)
{
    const auto executor = co_await asio::this_coro::executor;
    std::vector<upstream::outcome> answers(codes.size());
    std::size_t missing = codes.size();
    net::wakeup answered(executor);
    for (std::size_t i = 0; i < codes.size(); ++i)
        asio::co_spawn(executor, ask(pool, codes[i]),
                       [&, i](const std::exception_ptr& thrown, upstream::outcome answer) {
                           BOOST_TEST(!thrown);
                           answers[i] = std::move(answer);
                           --missing;
                           answered.notify();
                       });
    while (missing != 0)
        co_await answered.wait();
    co_return answers;
}

// `count` different codes.
std::vector<std::string> codes(std::size_t count)
{
    std::vector<std::string> codes;
    for (std::size_t i = 0; i < count; ++i)
        codes.push_back({static_cast<char>('A' + i / 676 % 26), static_cast<char>('A' + i / 26 % 26),
                         static_cast<char>('A' + i % 26)});
    return codes;
}

void check_all_answered(const std::vector<std::string>& codes, const std::vector<upstream::outcome>& answers)
{
    for (std::size_t i = 0; i < codes.size(); ++i)
        BOOST_TEST((answers[i].has_value() && *answers[i] == reply_line(codes[i])), "no right answer for " << codes[i]);
}

awaitable<> reset_at_a_code(peer& peer)
{
    co_await peer.read_code();
    peer.reset();
}

awaitable<> answer_one(peer& peer) { co_await peer.reply(co_await peer.read_code()); }

constexpr auto a_while = 30ms;

// One after the other.
awaitable<> answer_after_a_while(peer& peer)
{
    for (auto code = co_await peer.read_code(); !code.empty(); code = co_await peer.read_code()) {
        co_await sleep(a_while);
        co_await peer.reply(code);
    }
}

// Many at the same time.
awaitable<> answer_each_after_a_while(peer& peer)
{
    std::deque<std::pair<clock::time_point, std::string>> due;
    net::wakeup has_more(peer.socket.get_executor());
    const auto read = [&]() -> awaitable<> {
        for (auto code = co_await peer.read_code(); !code.empty(); code = co_await peer.read_code()) {
            due.emplace_back(clock::now() + a_while, code);
            has_more.notify();
        }
    };
    const auto reply = [&]() -> awaitable<> {
        for (;;) {
            while (due.empty())
                co_await has_more.wait();
            const auto [at, code] = due.front();
            due.pop_front();
            co_await sleep(at - clock::now());
            co_await peer.reply(code);
        }
    };
    co_await net::until_first(read(), reply());
}

struct fixture {
    asio::io_context io;
    net::limit pending{100'000};

    using story = awaitable<> (*)(pool&, backend_double&);

    // Runs `story` with a pool in front of a backend that does what `script` says, and checks that nothing is left.
    void play(backend_double::script script, story what_happens, void (*adjust)(pool_settings&) = nullptr)
    {
        backend_double backend(io, std::move(script));
        auto settings = settings_for({backend.address()});
        if (adjust)
            adjust(settings);
        pool the_pool(io, settings, pending);
        the_pool.start();
        run(io, tell(the_pool, backend, what_happens));
        BOOST_TEST(the_pool.idle());
        BOOST_TEST(pending.taken() == 0U);
        check_sums(the_pool.figures());
    }

    // What holds for every stopped pool: no request and no connection is unaccounted for.
    static void check_sums(const upstream::pool_figures& figures)
    {
        BOOST_TEST(figures.requests.received == figures.requests.ended());
        BOOST_TEST(figures.waiting.all() == 0U);
        BOOST_TEST(figures.oldest_waiting == 0ns);
        for (const auto& upstream : figures.upstreams) {
            const auto& ended = upstream.counts.disconnects;
            BOOST_TEST(upstream.counts.connects == std::accumulate(ended.begin(), ended.end(), std::uint64_t{}));
        }
    }

    static awaitable<> tell(pool& pool, backend_double& backend, story what_happens)
    {
        co_await what_happens(pool, backend);
        pool.stop();
        backend.stop();
    }
};

awaitable<> ask_for(other_client& client, pool& pool, std::size_t& asked)
{
    co_await client.has_sent();
    ++asked;
    const auto answer = co_await ask(pool, "500");
    BOOST_TEST(text(answer) == reply_line("500"));
}

// Turns of the event loop.
int stopped_after = 0;

awaitable<bool> stop_after_some_turns(pool& pool)
{
    for (int turn = 0; turn < stopped_after; ++turn)
        co_await asio::post(co_await asio::this_coro::executor, asio::deferred);
    pool.stop();
    co_return true;
}

awaitable<> stop_soon(pool& pool, backend_double&)
{
    const auto [answers, stopped] = co_await (ask_all(pool, codes(3)) && stop_after_some_turns(pool));
    for (const auto& answer : answers)
        BOOST_TEST((answer.has_value() || failed_with(failure::unavailable, answer)));
}

awaitable<> stop_soon_without_backend(pool& pool, backend_double& backend)
{
    backend.stop();
    co_await stop_soon(pool, backend);
}

// A reply timeout so short that a busy machine may take longer to connect: so a test waits for that first.
void short_timeout(pool_settings& settings) { settings.reply_timeout = 50ms; }

awaitable<> connected(const pool& pool)
{
    while (pool.counts().connects == 0)
        co_await settle();
}

// Asks until so many connections have ended, then stops.
awaitable<> ask_until_it_ends(pool& pool, backend_double& backend, std::uint64_t ended)
{
    co_await connected(pool);
    const auto all = [&] {
        const auto counts = pool.counts();
        return std::accumulate(counts.disconnects.begin(), counts.disconnects.end(), std::uint64_t{});
    };
    while (all() < ended)
        co_await ask(pool, "404");
    pool.stop();
    backend.stop();
}

awaitable<bool> cancel_when_connected(pool& pool, steady_timer& deadline)
{
    co_await connected(pool);
    co_await settle();
    co_return deadline.cancel() == 1;
}

// Closes its listening socket at once, so that its port is known and unused.
net::host_port nobody(asio::io_context& io)
{
    tcp_acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    return {"127.0.0.1", acceptor.local_endpoint().port()};
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(upstream_pool, fixture)

BOOST_AUTO_TEST_CASE(a_request_gets_the_reply_for_its_code)
{
    play(answer_all, [](pool& pool, backend_double&) -> awaitable<> {
        const auto answer = co_await ask(pool, "404");
        BOOST_TEST(text(answer) == reply_line("404"));
    });
}

BOOST_AUTO_TEST_CASE(many_requests_share_one_connection)
{
    play(answer_all, [](pool& pool, backend_double& backend) -> awaitable<> {
        const auto asked = codes(1000);
        check_all_answered(asked, co_await ask_all(pool, asked));
        BOOST_TEST(backend.connections() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(many_requests_for_one_code_each_get_a_reply)
{
    play(answer_all, [](pool& pool, backend_double&) -> awaitable<> {
        const std::vector<std::string> asked(500, "404");
        check_all_answered(asked, co_await ask_all(pool, asked));
        BOOST_TEST(pool.counts().replies == 500U);
        BOOST_TEST(pool.counts().dropped == 0U);
    });
}

BOOST_AUTO_TEST_CASE(coalesced_requests_share_one_message_and_its_reply)
{
    const auto answer_each_code_once = [](peer& peer) -> awaitable<> {
        std::set<std::string> asked;
        for (auto code = co_await peer.read_code(); !code.empty(); code = co_await peer.read_code()) {
            BOOST_TEST(asked.insert(code).second, code << " was asked again");
            if (asked.size() == 2)
                co_await peer.write(reply_line("404") + reply_line("500"));
        }
    };
    play(
        answer_each_code_once,
        [](pool& pool, backend_double&) -> awaitable<> {
            std::vector<std::string> asked(500, "404");
            asked.resize(1000, "500");
            check_all_answered(asked, co_await ask_all(pool, asked));
            BOOST_TEST(pool.counts().replies == 2U);
            BOOST_TEST(pool.counts().dropped == 0U);
        },
        [](pool_settings& settings) { settings.coalesce = true; });
}

BOOST_AUTO_TEST_CASE(a_coalesced_request_is_asked_again_when_the_one_that_it_relied_on_gives_up)
{
    const auto answer_the_second_message = [](peer& peer) -> awaitable<> {
        co_await peer.read_code();
        co_await peer.reply(co_await peer.read_code());
        co_await answer_nothing(peer);
    };
    play(
        answer_the_second_message,
        [](pool& pool, backend_double&) -> awaitable<> {
            steady_timer deadline(co_await asio::this_coro::executor);
            const auto question = codes::question_for(codes::code::parse("404").value());
            const auto [first, second, cancelled] =
                co_await (pool.ask(question, deadline) && ask(pool, "404") && cancel_when_connected(pool, deadline));
            BOOST_TEST(cancelled);
            BOOST_TEST(failed_with(failure::timed_out, first));
            BOOST_TEST(text(second) == reply_line("404"));
            BOOST_TEST(pool.counts().abandoned == 1U);
        },
        [](pool_settings& settings) { settings.coalesce = true; });
}

BOOST_AUTO_TEST_CASE(replies_out_of_order_find_their_requests)
{
    const auto answer_in_reverse = [](peer& peer) -> awaitable<> {
        std::string replies;
        for (int i = 0; i < 100; ++i)
            replies = reply_line(co_await peer.read_code()) + replies;
        co_await peer.write(replies);
        co_await answer_nothing(peer);
    };
    play(answer_in_reverse, [](pool& pool, backend_double&) -> awaitable<> {
        const auto asked = codes(100);
        check_all_answered(asked, co_await ask_all(pool, asked));
    });
}

BOOST_AUTO_TEST_CASE(a_repeated_reply_is_dropped_and_counted)
{
    const auto answer_twice = [](peer& peer) -> awaitable<> {
        for (auto code = co_await peer.read_code(); !code.empty(); code = co_await peer.read_code())
            co_await peer.write(reply_line(code) + reply_line(code));
    };
    play(answer_twice, [](pool& pool, backend_double&) -> awaitable<> {
        const auto asked = codes(10);
        check_all_answered(asked, co_await ask_all(pool, asked));
        // The last repetition came in the same segment as a reply that has been seen.
        BOOST_TEST(pool.counts().replies == 20U);
        BOOST_TEST(pool.counts().dropped == 10U);
    });
}

BOOST_AUTO_TEST_CASE(an_unsolicited_reply_is_dropped_and_counted)
{
    const auto chatter = [](peer& peer) -> awaitable<> {
        const auto code = co_await peer.read_code();
        co_await peer.write(reply_line("200") + reply_line("201") + reply_line(code));
        co_await answer_nothing(peer);
    };
    play(chatter, [](pool& pool, backend_double&) -> awaitable<> {
        BOOST_TEST(text(co_await ask(pool, "404")) == reply_line("404"));
        BOOST_TEST(pool.counts().dropped == 2U);
    });
}

// The watch looks in between, and sees an incomplete one.
BOOST_AUTO_TEST_CASE(a_reply_in_two_pieces_does_not_count_as_unfinished)
{
    const auto reply_in_two_pieces = [](peer& peer) -> awaitable<> {
        for (auto code = co_await peer.read_code(); !code.empty(); code = co_await peer.read_code()) {
            const auto reply = reply_line(code);
            co_await peer.write(reply.substr(0, 6));
            co_await sleep(100ms);
            co_await peer.write(reply.substr(6));
        }
    };
    play(
        reply_in_two_pieces,
        [](pool& pool, backend_double&) -> awaitable<> {
            for (int i = 0; i != 10; ++i) {
                BOOST_TEST(text(co_await ask(pool, "404")) == reply_line("404"));
                co_await sleep(370ms);
            }
            BOOST_TEST(pool.counts().unfinished == 0U);
        },
        [](pool_settings& settings) { settings.reply_timeout = 300ms; }); // so it looks every 150 ms
}

BOOST_AUTO_TEST_CASE(a_late_reply_is_dropped_and_counted_and_never_reaches_another_request)
{
    const auto answer_the_first_late = [](peer& peer) -> awaitable<> {
        const auto first = co_await peer.read_code();
        const auto second = co_await peer.read_code(); // asked after the first has timed out
        co_await peer.write(reply_line(first) + reply_line(second));
        co_await answer_nothing(peer);
    };
    play(
        answer_the_first_late,
        [](pool& pool, backend_double&) -> awaitable<> {
            co_await connected(pool);
            BOOST_TEST(failed_with(failure::timed_out, co_await ask(pool, "404")));
            BOOST_TEST(text(co_await ask(pool, "500")) == reply_line("500"));
            BOOST_TEST(pool.counts().dropped == 1U);
            BOOST_TEST(pool.counts().timed_out == 1U);
        },
        short_timeout);
}

BOOST_AUTO_TEST_CASE(a_late_reply_serves_a_request_that_waits_for_the_same_code_again)
{
    const auto answer_the_first_late = [](peer& peer) -> awaitable<> {
        co_await peer.read_code();
        co_await peer.reply(co_await peer.read_code()); // one reply to two requests
        co_await answer_nothing(peer);
    };
    play(
        answer_the_first_late,
        [](pool& pool, backend_double&) -> awaitable<> {
            co_await connected(pool);
            BOOST_TEST(failed_with(failure::timed_out, co_await ask(pool, "404")));
            BOOST_TEST(text(co_await ask(pool, "404")) == reply_line("404"));
            BOOST_TEST(pool.counts().dropped == 0U);
        },
        short_timeout);
}

BOOST_AUTO_TEST_CASE(a_line_in_two_segments_and_two_lines_in_one_are_the_same_replies)
{
    const auto cut_oddly = [](peer& peer) -> awaitable<> {
        const auto replies = reply_line(co_await peer.read_code()) + reply_line(co_await peer.read_code());
        for (const char byte : replies) {
            co_await peer.write(std::string(1, byte));
            co_await settle();
        }
        co_await peer.write(reply_line(co_await peer.read_code()) + reply_line(co_await peer.read_code()));
        co_await answer_nothing(peer);
    };
    play(cut_oddly, [](pool& pool, backend_double&) -> awaitable<> {
        for (int round = 0; round < 2; ++round) {
            const std::vector<std::string> asked{"404", "500"};
            check_all_answered(asked, co_await ask_all(pool, asked));
        }
    });
}

BOOST_AUTO_TEST_CASE(reply_forms_of_other_servers_are_understood)
{
    const auto speak_differently = [](peer& peer) -> awaitable<> {
        co_await peer.read_code();
        co_await peer.write("Code 404: Not found, used when …\r\n");
        co_await peer.read_code();
        co_await peer.write("I dont know about code \"xyz\" mate …\n");
        co_await answer_nothing(peer);
    };
    play(speak_differently, [](pool& pool, backend_double&) -> awaitable<> {
        BOOST_TEST(text(co_await ask(pool, "404")) == "Code 404: Not found, used when …\r\n");
        BOOST_TEST(text(co_await ask(pool, "xyz")) == "I dont know about code \"xyz\" mate …\n");
    });
}

BOOST_AUTO_TEST_CASE(a_backend_that_reads_only_the_first_three_bytes_of_a_segment_works_with_a_window_of_one)
{
    const auto three_bytes_of_each_segment = [](peer& peer) -> awaitable<> {
        std::array<char, 4096> segment{};
        for (;;) {
            const auto [error, count] = co_await peer.socket.async_read_some(asio::buffer(segment), as_result);
            if (error)
                co_return;
            co_await peer.reply({segment.data(), 3});
        }
    };
    play(
        three_bytes_of_each_segment,
        [](pool& pool, backend_double&) -> awaitable<> {
            const auto asked = codes(50);
            check_all_answered(asked, co_await ask_all(pool, asked));
        },
        [](pool_settings& settings) { settings.window = 1; });
}

BOOST_AUTO_TEST_CASE(never_more_messages_than_the_window_are_on_their_way)
{
    const auto three_at_a_time = [](peer& peer) -> awaitable<> {
        for (int round = 0; round < 10; ++round) {
            std::string replies;
            for (int i = 0; i < 3; ++i)
                replies += reply_line(co_await peer.read_code());
            co_await settle();
            BOOST_TEST(peer.socket.available() == 0U); // a fourth waits until one is answered
            co_await peer.write(replies);
        }
        co_await answer_nothing(peer);
    };
    play(
        three_at_a_time,
        [](pool& pool, backend_double&) -> awaitable<> {
            const auto asked = codes(30);
            check_all_answered(asked, co_await ask_all(pool, asked));
        },
        [](pool_settings& settings) { settings.window = 3; });
}

BOOST_AUTO_TEST_CASE(a_backend_that_never_answers_costs_each_request_its_timeout_and_no_more)
{
    play(
        answer_nothing,
        [](pool& pool, backend_double&) -> awaitable<> {
            co_await connected(pool);
            const auto asked_at = clock::now();
            const auto answers = co_await ask_all(pool, codes(300));
            BOOST_TEST((clock::now() - asked_at >= 50ms));
            for (const auto& answer : answers)
                BOOST_TEST(failed_with(failure::timed_out, answer));
            BOOST_TEST(pool.counts().timed_out == 300U);
        },
        short_timeout);
}

BOOST_AUTO_TEST_CASE(a_connection_lost_in_the_middle_of_a_line_loses_nothing)
{
    const auto break_off_once = [first = true](peer& peer) mutable {
        return [](test::peer& client, bool break_off) -> awaitable<> {
            if (break_off) {
                for (int i = 0; i < 20; ++i)
                    co_await client.read_code();
                co_await client.write(reply_line("AAA") + "Code AAB: of the do");
                client.socket.close();
            } else {
                co_await answer_all(client);
            }
        }(peer, std::exchange(first, false));
    };
    play(break_off_once, [](pool& pool, backend_double& backend) -> awaitable<> {
        const auto asked = codes(20);
        check_all_answered(asked, co_await ask_all(pool, asked));
        BOOST_TEST(backend.connections() == 2U);
        BOOST_TEST(pool.counts().rewritten == 19U);
    });
}

BOOST_AUTO_TEST_CASE(a_reset_connection_loses_nothing)
{
    const auto reset_once = [first = true](peer& peer) mutable {
        return [](test::peer& client, bool reset) -> awaitable<> {
            if (reset) {
                co_await client.read_code();
                client.reset();
            } else {
                co_await answer_all(client);
            }
        }(peer, std::exchange(first, false));
    };
    play(reset_once, [](pool& pool, backend_double&) -> awaitable<> {
        const auto asked = codes(50);
        check_all_answered(asked, co_await ask_all(pool, asked));
    });
}

BOOST_AUTO_TEST_CASE(a_restart_of_the_backend_with_requests_waiting_costs_none_of_them_an_error)
{
    play(answer_nothing, [](pool& pool, backend_double& backend) -> awaitable<> {
        const auto asked = codes(200);
        const auto restart = [](backend_double& old) -> awaitable<std::unique_ptr<backend_double>> {
            const auto executor = co_await asio::this_coro::executor;
            co_await settle(); // all requests are with the old backend
            old.stop();
            co_await sleep(200ms); // the new one takes its time
            co_return std::make_unique<backend_double>(executor.context(), answer_all, old.address().port);
        };
        const auto [answers, revived] = co_await (ask_all(pool, asked) && restart(backend));
        check_all_answered(asked, answers);
        BOOST_TEST(pool.counts().rewritten == 200U);
        co_await revived->end();
    });
}

// However many were in flight.
constexpr auto nearly_a_timeout = 1700ms;

void with_a_timeout_of_two_seconds(pool_settings& settings) { settings.reply_timeout = 2s; }

BOOST_AUTO_TEST_CASE(a_restart_that_takes_nearly_the_reply_timeout_costs_no_request_an_error)
{
    play(
        answer_each_after_a_while,
        [](pool& pool, backend_double& backend) -> awaitable<> {
            const auto asked = codes(200);
            const auto restart = [](backend_double& old) -> awaitable<std::unique_ptr<backend_double>> {
                const auto executor = co_await asio::this_coro::executor;
                co_await settle();
                old.stop();
                co_await sleep(nearly_a_timeout);
                co_return std::make_unique<backend_double>(executor.context(), answer_each_after_a_while,
                                                           old.address().port);
            };
            const auto [answers, revived] = co_await (ask_all(pool, asked) && restart(backend));
            check_all_answered(asked, answers);
            BOOST_TEST(pool.counts().rewritten == 200U);
            co_await revived->end();
        },
        with_a_timeout_of_two_seconds);
}

BOOST_AUTO_TEST_CASE(nor_does_one_behind_a_proxy_that_accepts_connections_meanwhile)
{
    static bool is_away;
    is_away = false;
    const auto accept = [](peer& peer) -> awaitable<> {
        if (!is_away)
            co_await answer_each_after_a_while(peer);
    };
    play(
        accept,
        [](pool& pool, backend_double& backend) -> awaitable<> {
            BOOST_TEST(text(co_await ask(pool, "404")) == reply_line("404")); // so the connection was of use
            const auto asked = codes(200);
            const auto restart = [](backend_double& proxy) -> awaitable<> {
                co_await settle();
                is_away = true;
                proxy.close_connections();
                co_await sleep(nearly_a_timeout);
                is_away = false;
            };
            check_all_answered(asked, co_await (ask_all(pool, asked) && restart(backend)));
            BOOST_TEST(backend.connections() > 10U);
        },
        with_a_timeout_of_two_seconds);
}

// Asks for a code while the backend at `port` is away, which comes back and is found.
awaitable<> check_that_it_is_found_at_once(asio::io_context& io, pool& pool, std::uint16_t port)
{
    const auto come_back = [](asio::io_context& context,
                              std::uint16_t old_port) -> awaitable<std::unique_ptr<backend_double>> {
        co_await sleep(300ms);
        co_return std::make_unique<backend_double>(context, answer_all, old_port);
    };
    const auto began = clock::now();
    const auto [answer, backend] = co_await (ask(pool, "404") && come_back(io, port));
    BOOST_TEST(text(answer) == reply_line("404"));
    BOOST_TEST((clock::now() - began < 300ms + 10 * backoff::first_ceiling));
    pool.stop();
    co_await backend->end();
}

BOOST_AUTO_TEST_CASE(when_the_upstream_in_use_is_lost_another_that_is_back_is_found_at_once)
{
    backend_double active(io, answer_nothing);
    const auto standby = nobody(io);
    auto settings = settings_for({active.address(), standby});
    settings.reconnect_max = 1h;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io, [](asio::io_context& context, pool& pool, backend_double& old, std::uint16_t port) -> awaitable<> {
        const auto fail_over = [&]() -> awaitable<std::unique_ptr<backend_double>> {
            co_await settle(); // the question has been written
            auto other = std::make_unique<backend_double>(context, answer_all, port);
            old.stop();
            co_return other;
        };
        co_await sleep(6s); // by now the pauses have grown well beyond their first step
        const auto began = clock::now();
        const auto [answer, other] = co_await (ask(pool, "404") && fail_over());
        BOOST_TEST(text(answer) == reply_line("404"));
        BOOST_TEST((clock::now() - began < 2 * backoff::first_ceiling));
        pool.stop();
        co_await other->end();
    }(io, the_pool, active, standby.port));
}

BOOST_AUTO_TEST_CASE(while_requests_wait_a_backend_that_is_back_is_found_at_once_however_long_it_was_away)
{
    const auto address = nobody(io);
    auto settings = settings_for({address});
    settings.reconnect_max = 1h;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io, [](fixture& f, test::pool& pool, std::uint16_t port) -> awaitable<> {
        co_await sleep(6s); // by now the back-off has grown well beyond its first step
        co_await check_that_it_is_found_at_once(f.io, pool, port);
    }(*this, the_pool, address.port));
}

BOOST_AUTO_TEST_CASE(while_requests_wait_it_is_found_at_once_although_another_works_whose_window_is_full)
{
    const auto address = nobody(io);
    backend_double busy(io, answer_nothing);
    auto settings = settings_for({address, busy.address()});
    settings.reconnect_max = settings.reply_timeout = 1h;
    settings.window = 1;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io, [](fixture& f, test::pool& pool, backend_double& other, std::uint16_t port) -> awaitable<> {
        const auto ask_later = [](fixture& context, test::pool& asked, std::uint16_t of_the_other) -> awaitable<> {
            co_await sleep(6s); // as above
            co_await check_that_it_is_found_at_once(context.io, asked, of_the_other);
        };
        const auto unanswered = co_await (ask(pool, "100") && ask_later(f, pool, port));
        BOOST_TEST(failed_with(failure::unavailable, unanswered));
        other.stop();
    }(*this, the_pool, busy, address.port));
}

BOOST_AUTO_TEST_CASE(a_request_that_timed_out_before_it_was_written_is_never_written)
{
    const auto address = nobody(io);
    auto settings = settings_for({address});
    settings.reply_timeout = 300ms;
    pool the_pool(io, settings, pending);
    the_pool.start();
    std::vector<std::string> seen;
    const auto note_down = [&seen](peer& peer) {
        return [](test::peer& client, std::vector<std::string>& codes) -> awaitable<> {
            for (auto code = co_await client.read_code(); !code.empty(); code = co_await client.read_code()) {
                codes.push_back(code);
                co_await client.reply(code);
            }
        }(peer, seen);
    };
    run(io, [](fixture& f, test::pool& pool, backend_double::script script, std::uint16_t port) -> awaitable<> {
        BOOST_TEST(failed_with(failure::timed_out, co_await ask(pool, "old")));
        backend_double backend(f.io, std::move(script), port);
        while ((co_await ask(pool, "new")).has_error()) // the pool takes a moment to find it
            co_await sleep(10ms);
        pool.stop();
        co_await backend.end();
    }(*this, the_pool, note_down, address.port));
    BOOST_TEST(std::set(seen.begin(), seen.end()) == std::set<std::string>{"new"});
}

BOOST_AUTO_TEST_CASE(after_a_reply_timeout_without_upstream_new_requests_are_refused_at_once_until_it_is_back)
{
    const auto address = nobody(io);
    auto settings = settings_for({address});
    settings.reply_timeout = 200ms;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io, [](fixture& f, test::pool& pool, std::uint16_t port) -> awaitable<> {
        BOOST_TEST(failed_with(failure::timed_out, co_await ask(pool, "404"))); // down, but not for so long yet
        co_await sleep(1ms);
        const auto asked_at = clock::now();
        BOOST_TEST(failed_with(failure::unavailable, co_await ask(pool, "404")));
        BOOST_TEST((clock::now() - asked_at < 100ms));

        backend_double backend(f.io, answer_all, port);
        auto answer = co_await ask(pool, "404");
        while (answer.has_error()) {
            BOOST_TEST(failed_with(failure::unavailable, answer));
            co_await sleep(10ms);
            answer = co_await ask(pool, "404");
        }
        BOOST_TEST(*answer == reply_line("404"));
        pool.stop();
        co_await backend.end();
    }(*this, the_pool, address.port));
}

BOOST_AUTO_TEST_CASE(one_deadline_covers_the_wait_for_a_connection_for_a_place_and_for_the_reply)
{
    auto settings = settings_for({nobody(io)});
    settings.reply_timeout = 2s;
    settings.window = 1;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io, [](fixture& f, test::pool& pool, std::uint16_t port) -> awaitable<> {
        const auto ask_and_time = [](test::pool& asked, const char* code) -> awaitable<clock::duration> {
            const auto before = clock::now();
            BOOST_TEST(failed_with(failure::timed_out, co_await ask(asked, code)));
            co_return clock::now() - before;
        };
        const auto come_back = [](asio::io_context& context, std::uint16_t old_port) -> awaitable<bool> {
            co_await sleep(1800ms); // a deadline that began anew here would end after the latest time below
            backend_double silent(context, answer_nothing, old_port);
            co_await sleep(300ms);
            const bool was_found = silent.connections() != 0;
            co_await silent.end();
            co_return was_found;
        };
        const auto [first, second, was_found] =
            co_await (ask_and_time(pool, "111") && ask_and_time(pool, "222") && come_back(f.io, port));
        BOOST_TEST(was_found);
        for (const auto took : {first, second}) {
            BOOST_TEST((took >= 2s));
            BOOST_TEST((took < 2s + scheduling));
        }
        pool.stop();
    }(*this, the_pool, settings.upstreams.front().port));
}

BOOST_AUTO_TEST_CASE(above_the_limit_of_pending_requests_one_is_refused_at_once)
{
    net::limit two(2);
    backend_double silent(io, answer_nothing);
    auto settings = settings_for({silent.address()});
    settings.reply_timeout = 200ms;
    pool the_pool(io, settings, two);
    the_pool.start();
    run(io, [](test::pool& pool, backend_double& backend) -> awaitable<> {
        const std::vector<std::string> asked{"404", "404", "500"};
        const auto answers = co_await ask_all(pool, asked);
        BOOST_TEST(failed_with(failure::timed_out, answers[0]));
        BOOST_TEST(failed_with(failure::timed_out, answers[1]));
        BOOST_TEST(failed_with(failure::overloaded, answers[2]));
        pool.stop();
        backend.stop();
    }(the_pool, silent));
    BOOST_TEST(two.taken() == 0U);
}

// The kernel reports sockets in the order in which they became ready, a hundred or so at a time. While those of
// thousands of clients come first, the requests whose replies have come must not count as waiting.
BOOST_AUTO_TEST_CASE(replies_are_heard_before_the_event_loop_has_looked_at_hundreds_of_other_sockets)
{
    auto others = many_other_clients(io);
    std::size_t asked = 0;
    const auto answer_behind_them = [&](peer& peer) -> awaitable<> {
        const auto code = co_await peer.read_code();
        std::ranges::for_each(others, &other_client::send);
        co_await peer.reply(code);
        co_await answer_all(peer);
    };
    backend_double behind_them(io, answer_behind_them);
    pool the_pool(io, settings_for({behind_them.address()}), pending);
    the_pool.start();
    for (auto& other : others)
        asio::co_spawn(io, ask_for(other, the_pool, asked), net::rethrow);
    run(io,
        [](test::pool& pool, backend_double& backend, const std::size_t& asked_so_far, std::size_t all) -> awaitable<> {
            co_await connected(pool);
            BOOST_TEST(text(co_await ask(pool, "404")) == reply_line("404"));
            BOOST_TEST(asked_so_far < all);
            while (!pool.idle())
                co_await settle();
            pool.stop();
            backend.stop();
        }(the_pool, behind_them, asked, others.size()));
}

BOOST_AUTO_TEST_CASE(a_line_without_a_code_is_counted_and_disturbs_nothing)
{
    const auto mumble = [](peer& peer) -> awaitable<> {
        const auto code = co_await peer.read_code();
        co_await peer.write("hello\n\nCode : none\n" + reply_line(code));
        co_await answer_nothing(peer);
    };
    play(mumble, [](pool& pool, backend_double& backend) -> awaitable<> {
        BOOST_TEST(text(co_await ask(pool, "404")) == reply_line("404"));
        BOOST_TEST(pool.counts().unreadable == 3U);
        BOOST_TEST(backend.connections() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(a_line_without_an_end_is_counted_and_costs_only_its_connection)
{
    const auto babble_once = [first = true](peer& peer) mutable {
        return [](test::peer& client, bool babble) -> awaitable<> {
            if (babble) {
                co_await client.read_code();
                co_await client.write(std::string(codes::reply_decoder::longest_line + 1, 'x'));
                co_await answer_nothing(client);
            } else {
                co_await answer_all(client);
            }
        }(peer, std::exchange(first, false));
    };
    play(babble_once, [](pool& pool, backend_double& backend) -> awaitable<> {
        BOOST_TEST(text(co_await ask(pool, "404")) == reply_line("404"));
        BOOST_TEST(pool.counts().unreadable == 1U);
        BOOST_TEST(backend.connections() == 2U);
    });
}

BOOST_AUTO_TEST_CASE(of_several_upstreams_the_one_with_the_fewest_waiting_is_asked)
{
    std::map<std::string, int> asked; // by backend
    const auto count_as = [&asked](std::string name) {
        return [&asked, name](peer& peer) {
            return [](test::peer& client, int& count) -> awaitable<> {
                for (auto code = co_await client.read_code(); !code.empty(); code = co_await client.read_code())
                    ++count;
            }(peer, asked[name]);
        };
    };
    backend_double first(io, count_as("first"));
    backend_double second(io, count_as("second"));
    auto settings = settings_for({first.address(), second.address()});
    settings.reply_timeout = 300ms;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io, [](test::pool& pool, backend_double& one, backend_double& other) -> awaitable<> {
        while (pool.counts().connects < 2)
            co_await sleep(1ms);
        co_await ask_all(pool, codes(100));
        pool.stop();
        one.stop();
        other.stop();
    }(the_pool, first, second));
    BOOST_TEST(asked["first"] == 50);
    BOOST_TEST(asked["second"] == 50);
}

// Like a proxy that cannot reach its server: it holds the connection for longer than a request waits, and for less than
// the patience with silence.
BOOST_AUTO_TEST_CASE(
    an_upstream_that_accepts_and_hangs_up_after_a_while_is_asked_nothing_but_probes_while_another_works)
{
    const auto hold = [](peer&) -> awaitable<> { co_await sleep(300ms); };
    backend_double useless(io, hold);
    backend_double good(io, answer_all);
    auto settings = settings_for({useless.address(), good.address()});
    settings.reply_timeout = 200ms;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io, [](test::pool& pool, backend_double& other, backend_double& works) -> awaitable<> {
        while (other.connections() < 2) // the first one counts as working
            co_await ask_all(pool, codes(10));
        while (other.connections() < 5) {
            const auto asked = codes(10);
            check_all_answered(asked, co_await ask_all(pool, asked));
            co_await sleep(10ms);
        }
        pool.stop();
        other.stop();
        works.stop();
    }(the_pool, useless, good));
}

BOOST_AUTO_TEST_CASE(requests_of_a_lost_upstream_move_to_another_one)
{
    backend_double silent(io, answer_nothing);
    backend_double good(io, answer_all);
    pool the_pool(io, settings_for({silent.address(), good.address()}), pending);
    the_pool.start();
    run(io, [](test::pool& pool, backend_double& lost, backend_double& other) -> awaitable<> {
        while (pool.counts().connects < 2)
            co_await sleep(1ms);
        const auto asked = codes(100);
        const auto lose = [](backend_double& backend) -> awaitable<bool> {
            co_await settle();
            backend.stop();
            co_return true;
        };
        const auto [answers, stopped] = co_await (ask_all(pool, asked) && lose(lost));
        check_all_answered(asked, answers);
        BOOST_TEST(pool.counts().rewritten == 50U);
        pool.stop();
        other.stop();
    }(the_pool, silent, good));
}

BOOST_AUTO_TEST_CASE(an_upstream_that_is_silent_with_requests_under_way_is_given_up_and_the_others_take_over)
{
    backend_double frozen(io, answer_nothing);
    backend_double good(io, answer_all);
    auto settings = settings_for({frozen.address(), good.address()});
    settings.reply_timeout = 200ms;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io, [](test::pool& pool, backend_double& silent, backend_double& other) -> awaitable<> {
        while (pool.counts().connects < 2)
            co_await sleep(1ms);
        while (silent.connections() < 2) // the pool gave up its first one
            co_await ask_all(pool, codes(20));
        while (pool.counts().connects < 3)
            co_await sleep(1ms);
        // The frozen one is no longer trusted, and the other gets everything.
        const auto asked = codes(100);
        check_all_answered(asked, co_await ask_all(pool, asked));
        pool.stop();
        silent.stop();
        other.stop();
    }(the_pool, frozen, good));
}

BOOST_AUTO_TEST_CASE(a_frozen_upstream_is_found_out_by_single_requests_too)
{
    backend_double frozen(io, answer_nothing);
    backend_double good(io, answer_all);
    auto settings = settings_for({frozen.address(), good.address()});
    settings.reply_timeout = 100ms;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io, [](test::pool& pool, backend_double& silent, backend_double& other) -> awaitable<> {
        while (pool.counts().connects < 2)
            co_await sleep(1ms);
        while (silent.connections() < 2) // until the pool gives up its first one
            co_await ask(pool, "404");
        for (int i = 0; i < 20; ++i)
            BOOST_TEST(text(co_await ask(pool, "404")) == reply_line("404"));
        pool.stop();
        silent.stop();
        other.stop();
    }(the_pool, frozen, good));
}

BOOST_AUTO_TEST_CASE(what_a_frozen_upstream_was_asked_while_the_other_one_restarted_is_asked_of_that_when_it_is_back)
{
    backend_double frozen(io, answer_nothing);
    auto good = std::make_unique<backend_double>(io, answer_all);
    const auto address = good->address();
    auto settings = settings_for({frozen.address(), address});
    settings.reply_timeout = 4s;
    settings.reconnect_max = 1h;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io,
        [](fixture& f, test::pool& pool, backend_double& silent, std::unique_ptr<backend_double>& other,
           std::uint16_t port) -> awaitable<> {
            while (silent.connections() < 2) // until the pool gives up its first one
                co_await ask(pool, "404");
            co_await other->end();
            const auto come_back = [](fixture& again,
                                      std::uint16_t old_port) -> awaitable<std::unique_ptr<backend_double>> {
                co_await sleep(3s); // after which the pauses would be as long
                co_return std::make_unique<backend_double>(again.io, answer_all, old_port);
            };
            const auto began = clock::now();
            auto [answer, back] = co_await (ask(pool, "500") && come_back(f, port));
            BOOST_TEST(text(answer) == reply_line("500"));
            BOOST_TEST((clock::now() - began < 3s + 10 * backoff::first_ceiling));
            pool.stop();
            silent.stop();
            co_await back->end();
        }(*this, the_pool, frozen, good, address.port));
}

BOOST_AUTO_TEST_CASE(a_running_pool_takes_another_reply_timeout_and_with_it_another_patience)
{
    backend_double frozen(io, answer_nothing);
    auto settings = settings_for({frozen.address()});
    settings.reply_timeout = 1h;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io, [](pool_settings shorter, test::pool& pool, backend_double& silent) -> awaitable<> {
        co_await connected(pool);
        shorter.reply_timeout = 500ms;
        const auto began = clock::now();
        pool.apply(shorter);
        BOOST_TEST(failed_with(failure::timed_out, co_await ask(pool, "404")));
        BOOST_TEST((clock::now() - began < 600ms));
        while (silent.connections() < 2) { // until the pool gives up its first one
            co_await ask(pool, "404");
            co_await sleep(1ms); // some are refused at once
        }
        BOOST_TEST((clock::now() - began < 3s));
        pool.stop();
        silent.stop();
    }(settings, the_pool, frozen));
}

BOOST_AUTO_TEST_CASE(a_running_pool_takes_a_shorter_longest_pause_also_in_the_middle_of_a_longer_one)
{
    const auto address = nobody(io);
    auto settings = settings_for({address});
    settings.reconnect_max = 1h;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io, [](fixture& f, pool_settings shorter, test::pool& pool, std::uint16_t port) -> awaitable<> {
        co_await sleep(10s); // by now the pauses are as long
        backend_double backend(f.io, answer_all, port);
        shorter.reconnect_max = 100ms;
        const auto began = clock::now();
        pool.apply(shorter);
        co_await connected(pool);
        BOOST_TEST((clock::now() - began < 300ms));
        pool.stop();
        co_await backend.end();
    }(*this, settings, the_pool, address.port));
}

BOOST_AUTO_TEST_CASE(an_upstream_that_accepts_and_hangs_up_counts_as_down)
{
    const auto hang_up = [](peer&) -> awaitable<> { co_return; };
    play(
        hang_up,
        [](pool& pool, backend_double&) -> awaitable<> {
            BOOST_TEST(failed_with(failure::timed_out, co_await ask(pool, "404")));
            co_await sleep(1ms);
            BOOST_TEST(failed_with(failure::unavailable, co_await ask(pool, "404")));
        },
        [](pool_settings& settings) { settings.reply_timeout = 300ms; });
}

// Like a backend that restarts while no request is in flight: the connection counted as working until it was used.
BOOST_AUTO_TEST_CASE(a_connection_that_is_lost_with_its_first_question_costs_no_request_an_error)
{
    const auto die_once = [first = true](peer& peer) mutable {
        return std::exchange(first, false) ? reset_at_a_code(peer) : answer_all(peer);
    };
    const auto tell_it = [](pool& pool, backend_double& backend) -> awaitable<> {
        co_await sleep(5s);
        const auto ask_later = [](test::pool& later) -> awaitable<upstream::outcome> {
            co_await sleep(5ms);
            co_return co_await ask(later, "500");
        };
        const auto [first, second] = co_await (ask(pool, "404") && ask_later(pool));
        BOOST_TEST(text(first) == reply_line("404"));
        BOOST_TEST(text(second) == reply_line("500"));
        BOOST_TEST(backend.connections() == 2U);
    };
    play(die_once, tell_it, [](pool_settings& settings) { settings.reply_timeout = 1s; });
}

BOOST_AUTO_TEST_CASE(a_backend_that_closes_after_each_reply_is_connected_again_at_once)
{
    play(
        answer_one,
        [](pool& pool, backend_double& backend) -> awaitable<> {
            co_await connected(pool);
            for (std::size_t connections = 1; connections != 20; ++connections) {
                BOOST_TEST(backend.connections() == connections);
                BOOST_TEST(text(co_await ask(pool, "404")) == reply_line("404"));
                co_await sleep(backoff::first_ceiling + 5ms);
            }
        },
        [](pool_settings& settings) { settings.reconnect_max = 1h; });
}

awaitable<> ask_again_and_again(pool& pool, std::string code)
{
    for (int times = 0; times != 20; ++times)
        BOOST_TEST(text(co_await ask(pool, code)) == reply_line(code));
}

// Whatever crosses its close is lost, again and again.
BOOST_AUTO_TEST_CASE(a_backend_that_closes_after_each_reply_answers_several_clients_in_turn)
{
    play(
        answer_one,
        [](pool& pool, backend_double&) -> awaitable<> {
            co_await (ask_again_and_again(pool, "201") && ask_again_and_again(pool, "202") &&
                      ask_again_and_again(pool, "203") && ask_again_and_again(pool, "204"));
        },
        with_a_timeout_of_two_seconds);
}

// Its close may cross a question, which then waits for a probe; and that takes the only question of a connection.
BOOST_AUTO_TEST_CASE(a_question_that_crosses_the_close_of_a_backend_that_takes_one_for_each_connection_is_asked_again)
{
    const auto cross_once = [first = true](peer& peer) mutable {
        return std::exchange(first, false) ? reset_at_a_code(peer) : answer_one(peer);
    };
    play(cross_once, [](pool& pool, backend_double& backend) -> awaitable<> {
        co_await connected(pool);
        BOOST_TEST(text(co_await ask(pool, "201")) == reply_line("201"));
        BOOST_TEST(backend.connections() == 3U); // one that was crossed, one for a probe, one for the question
        BOOST_TEST(text(co_await ask(pool, "202")) == reply_line("202"));
    });
}

BOOST_AUTO_TEST_CASE(an_upstream_that_is_slow_but_talks_is_kept)
{
    const auto answer_one_of_many = [](peer& peer) -> awaitable<> {
        for (auto code = co_await peer.read_code(); !code.empty(); code = co_await peer.read_code()) {
            if (code != "AAA")
                continue;
            co_await sleep(20ms);
            co_await peer.reply(code);
        }
    };
    play(
        answer_one_of_many,
        [](pool& pool, backend_double& backend) -> awaitable<> {
            co_await connected(pool);
            for (int round = 0; round < 4; ++round) // for longer than a silent one would be kept
            {
                const auto answers = co_await ask_all(pool, codes(5));
                BOOST_TEST(answers[0].has_value());
                BOOST_TEST(failed_with(failure::timed_out, answers[1]));
            }
            BOOST_TEST(backend.connections() == 1U);
        },
        [](pool_settings& settings) { settings.reply_timeout = 250ms; });
}

BOOST_AUTO_TEST_CASE(stopping_answers_everybody_who_waits)
{
    play(answer_nothing, [](pool& pool, backend_double&) -> awaitable<> {
        const auto stop = [](test::pool& stopped) -> awaitable<bool> {
            co_await settle();
            stopped.stop();
            co_return true;
        };
        const auto [answers, stopped] = co_await (ask_all(pool, codes(10)) && stop(pool));
        for (const auto& answer : answers)
            BOOST_TEST(failed_with(failure::unavailable, answer));
    });
}

// What is counted

BOOST_AUTO_TEST_CASE(it_is_known_how_long_a_request_and_its_reply_took)
{
    play(answer_after_a_while, [](pool& pool, backend_double&) -> awaitable<> {
        co_await connected(pool);
        const std::vector<std::string> two{"404", "500"};
        co_await ask_all(pool, two); // the second reply comes a while after the first
        const auto figures = pool.figures();
        BOOST_TEST(
            (figures.reply_durations.sum() >= 3 * a_while && figures.reply_durations.sum() <= 3 * a_while + 6ms));
        BOOST_TEST((figures.request_durations.sum() >= figures.reply_durations.sum()));
        BOOST_TEST((figures.request_durations.sum() <= 3 * a_while + 6ms));
        BOOST_TEST(figures.requests.replied == 2U);
    });
}

BOOST_AUTO_TEST_CASE(a_wait_for_a_place_is_part_of_a_requests_time_and_not_of_its_replys)
{
    play(
        answer_after_a_while,
        [](pool& pool, backend_double&) -> awaitable<> {
            co_await connected(pool);
            const std::vector<std::string> asked{"404", "500", "502"};
            co_await ask_all(pool, asked);
            const auto figures = pool.figures();
            const auto replies = figures.reply_durations.sum();
            const auto requests = figures.request_durations.sum();
            BOOST_TEST((replies >= 3 * a_while && replies <= 3 * a_while + 6ms));
            BOOST_TEST((requests >= 6 * a_while &&
                        requests <= 6 * a_while + 12ms)); // after one, two and three times `a_while`
        },
        [](pool_settings& settings) { settings.window = 1; });
}

BOOST_AUTO_TEST_CASE(a_request_that_times_out_has_taken_as_long_as_it_may)
{
    play(
        answer_nothing,
        [](pool& pool, backend_double&) -> awaitable<> {
            const std::vector<std::string> asked{"404"};
            co_await ask_all(pool, asked);
            const auto figures = pool.figures();
            BOOST_TEST((figures.request_durations.sum() >= 50ms && figures.request_durations.sum() <= 52ms));
            BOOST_TEST(figures.reply_durations.sum() == 0ns);
        },
        short_timeout);
}

BOOST_AUTO_TEST_CASE(it_is_known_where_requests_wait_and_how_long_the_oldest_has)
{
    play(
        answer_nothing,
        [](pool& pool, backend_double&) -> awaitable<> {
            const auto look = [](const upstream::pool& asked) -> awaitable<bool> {
                co_await connected(asked);
                co_await sleep(20ms);
                const auto figures = asked.figures();
                BOOST_TEST(figures.waiting.wire == 2U);
                BOOST_TEST(figures.waiting.backlog == 3U);
                BOOST_TEST(figures.waiting.all() == 5U);
                BOOST_TEST((figures.oldest_waiting >= 20ms && figures.oldest_waiting <= 25ms)); // not of the last
                BOOST_TEST(figures.upstreams.at(0).up == 1U);
                co_return true;
            };
            const auto ask_later = [](upstream::pool& asked) -> awaitable<bool> {
                co_await sleep(15ms);
                co_await ask(asked, "404");
                co_return true;
            };
            co_await (ask_all(pool, codes(4)) && ask_later(pool) && look(pool));
            BOOST_TEST(pool.figures().oldest_waiting == 0ns);
        },
        [](pool_settings& settings) {
            short_timeout(settings);
            settings.window = 2;
        });
}

BOOST_AUTO_TEST_CASE(each_ended_connection_is_counted_by_why_it_ended)
{
    const std::map<upstream::disconnect, backend_double::script> scripts{
        {upstream::disconnect::closed, [](peer& peer) -> awaitable<> { co_await peer.read_code(); }},
        {upstream::disconnect::failed,
         [](peer& peer) -> awaitable<> {
             co_await peer.read_code();
             peer.reset();
         }},
        {upstream::disconnect::silent, answer_nothing},
        {upstream::disconnect::protocol,
         [](peer& peer) -> awaitable<> {
             co_await peer.write(std::string(codes::reply_decoder::longest_line + 1, 'x'));
             co_await answer_nothing(peer);
         }},
        {upstream::disconnect::stopped, answer_all}};
    for (const auto& [reason, script] : scripts)
        BOOST_TEST_CONTEXT(upstream::disconnect_names[static_cast<std::size_t>(reason)])
        {
            io.restart();
            backend_double backend(io, script);
            auto settings = settings_for({backend.address()});
            short_timeout(settings);
            pool the_pool(io, settings, pending);
            the_pool.start();
            const bool until_stopped = reason == upstream::disconnect::stopped;
            run(io, ask_until_it_ends(the_pool, backend, until_stopped ? 0U : 1U));
            auto counted = the_pool.counts().disconnects;
            if (!until_stopped)
                counted[static_cast<std::size_t>(upstream::disconnect::stopped)] = 0; // of the next connection
            BOOST_TEST(counted[static_cast<std::size_t>(reason)] >= 1U);
            counted[static_cast<std::size_t>(reason)] = 0;
            BOOST_TEST(std::accumulate(counted.begin(), counted.end(), std::uint64_t{}) == 0U);
            check_sums(the_pool.figures());
        }
}

BOOST_AUTO_TEST_CASE(an_attempt_to_connect_that_fails_is_counted)
{
    play(answer_all, [](pool& pool, backend_double& backend) -> awaitable<> {
        co_await connected(pool);
        backend.stop();
        while (pool.counts().connect_failures < 2)
            co_await sleep(10ms);
        BOOST_TEST(pool.counts().connects == 1U);
        BOOST_TEST(pool.figures().upstreams.at(0).up == 0U);
        BOOST_TEST(!pool.figures().has_upstream());
    });
}

BOOST_AUTO_TEST_CASE(a_request_to_a_stopped_pool_is_counted_as_stopped_not_as_unavailable)
{
    play(answer_all, [](pool& pool, backend_double&) -> awaitable<> {
        pool.stop();
        const std::vector<std::string> asked{"404"};
        co_await ask_all(pool, asked);
        BOOST_TEST(pool.counts().stopped == 1U);
        BOOST_TEST(pool.counts().unavailable == 0U);
    });
}

BOOST_AUTO_TEST_CASE(stopping_ends_it_whatever_it_is_doing)
{
    // `run` and `play` check that nothing keeps running.
    for (stopped_after = 0; stopped_after < 60; ++stopped_after)
        for (const bool backend_is_up : {true, false})
            BOOST_TEST_CONTEXT("after " << stopped_after << " turns of the loop, backend up: " << backend_is_up)
            {
                io.restart();
                play(answer_all, backend_is_up ? stop_soon : stop_soon_without_backend);
            }
}

BOOST_AUTO_TEST_CASE(a_connection_to_itself_is_recognized)
{
    tcp_socket caller(io);
    caller.open(tcp::v4());
    caller.bind({asio::ip::address_v4::loopback(), 0});
    caller.connect(caller.local_endpoint());
    BOOST_TEST(net::is_connected_to_itself(caller));

    tcp_acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    tcp_socket other(io);
    BOOST_TEST(!net::is_connected_to_itself(other));
    other.connect(acceptor.local_endpoint());
    BOOST_TEST(!net::is_connected_to_itself(other));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
