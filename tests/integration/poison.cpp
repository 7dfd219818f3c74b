// A message that kills its backend, among many that do not.
#include "kit.hpp"
#include "net/rethrow.hpp"
#include "net/wakeup.hpp"
#include "protocols/codes/protocol.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace causeway::test {
namespace {

using upstream::failure;
using upstream::pool;

constexpr int requests_of_a_client = 50;
constexpr int strikes = static_cast<int>(upstream::multiplexer::most_strikes);

awaitable<upstream::outcome> ask(pool& pool, std::string code)
{
    steady_timer deadline(co_await asio::this_coro::executor);
    co_return co_await pool.ask(codes::question_for(codes::code::parse(code).value()), deadline);
}

// Dies of one code, or of what `kills` says, with all its connections, and is back at once.
class mortal_backend {
public:
    using question = std::function<bool(const std::string& code)>;

    // Takes `latency` for each reply, and `agony` to die.
    mortal_backend(asio::io_context& io, std::chrono::nanoseconds latency, std::chrono::nanoseconds agony = 0s,
                   const std::string& deadly = "BAD")
        : mortal_backend(io, latency, agony, [deadly](const std::string& code) { return code == deadly; })
    {
    }

    mortal_backend(asio::io_context& io, std::chrono::nanoseconds latency, std::chrono::nanoseconds agony,
                   question kills)
        : latency_(latency)
        , agony_(agony)
        , kills_(std::move(kills))
        , backend_(io, [this](peer& peer) { return serve(peer); })
    {
    }

    net::host_port address() const { return backend_.address(); }
    int deaths() const { return deaths_; }
    void stop() { backend_.stop(); }

private:
    awaitable<> serve(peer& peer)
    {
        auto alive = std::make_shared<test::peer*>(&peer); // for replies that are in flight when it dies
        clients_.push_back(alive);
        for (auto code = co_await peer.read_code(); !code.empty(); code = co_await peer.read_code()) {
            const bool kills = kills_(code);
            if (kills && agony_ == 0s) {
                die();
                break;
            }
            auto next = kills ? die_later(alive) : reply_later(alive, code, latency_);
            asio::co_spawn(peer.socket.get_executor(), std::move(next), net::rethrow);
        }
        *alive = nullptr;
    }

    awaitable<> die_later(std::shared_ptr<test::peer*> alive)
    {
        co_await sleep(agony_);
        if (*alive != nullptr)
            die();
    }

    void die()
    {
        ++deaths_;
        for (const auto& client : std::exchange(clients_, {}))
            if (*client != nullptr)
                std::exchange(*client, nullptr)->reset();
    }

    static awaitable<> reply_later(std::shared_ptr<test::peer*> to, std::string code, std::chrono::nanoseconds latency)
    {
        co_await sleep(latency);
        if (*to != nullptr) {
            error_code gone;
            (*to)->socket.write_some(asio::buffer(reply_line(code)), gone);
        }
    }

    std::chrono::nanoseconds latency_;
    std::chrono::nanoseconds agony_;
    question kills_;
    std::vector<std::shared_ptr<test::peer*>> clients_;
    backend_double backend_;
    int deaths_ = 0;
};

struct fixture {
    asio::io_context io;
    net::limit pending{100'000};
    unsigned poisons = 1; // requests for it, at the same instant
    std::size_t running = 0;
    std::vector<std::string> errors;
    std::vector<upstream::outcome> poisoned;
    net::wakeup client_ended{io.get_executor()};

    awaitable<> ask_again_and_again(pool& pool, std::string code)
    {
        for (int i = 0; i != requests_of_a_client; ++i) {
            const auto outcome = co_await ask(pool, code);
            if (!outcome || *outcome != reply_line(code))
                errors.push_back(outcome ? code : outcome.error().message());
        }
        end_of_client();
    }

    awaitable<> ask_now_and_then_for_poison(pool& pool, int client)
    {
        for (int i = 0; i != requests_of_a_client; ++i) {
            const auto code = (i + client) % 16 == 0 ? "BAD" : std::to_string(200 + client);
            const auto outcome = co_await ask(pool, code);
            if (!outcome || *outcome != reply_line(code))
                errors.push_back(code + ": " + (outcome ? *outcome : outcome.error().message()));
        }
        end_of_client();
    }

    awaitable<> poison(pool& pool)
    {
        poisoned.push_back(co_await ask(pool, "BAD"));
        end_of_client();
    }

    void end_of_client()
    {
        --running;
        client_ended.notify();
    }

    void spawn(awaitable<> client)
    {
        ++running;
        asio::co_spawn(io, std::move(client), [](const std::exception_ptr& thrown) { BOOST_TEST(!thrown); });
    }

    awaitable<> all(pool& pool, unsigned clients)
    {
        for (unsigned i = 0; i != clients; ++i) {
            spawn(ask_again_and_again(pool, std::to_string(100 + i)));
            for (unsigned poisonous = 0; i == clients / 2 && poisonous != poisons; ++poisonous)
                spawn(poison(pool));
        }
        while (running != 0)
            co_await client_ended.wait();
    }

    awaitable<> ask_and_stop(pool& pool, std::list<mortal_backend>& mortals, unsigned clients)
    {
        co_await all(pool, clients);
        pool.stop();
        for (auto& mortal : mortals)
            mortal.stop();
    }

    // All codes except the poison, on both pools.
    awaitable<> ask_two_and_stop(std::list<pool>& pools, mortal_backend& mortal, unsigned clients)
    {
        for (unsigned i = 0; i != clients; ++i)
            spawn(ask_again_and_again(pools.back(), std::to_string(200 + i)));
        co_await all(pools.front(), clients);
        for (auto& pool : pools)
            pool.stop();
        mortal.stop();
    }

    void all_ask_for_one_code(std::list<mortal_backend>& mortals, int clients, std::chrono::nanoseconds reply_timeout)
    {
        std::vector<net::host_port> addresses;
        for (const auto& mortal : mortals)
            addresses.push_back(mortal.address());
        auto settings = settings_for(addresses);
        settings.reply_timeout = reply_timeout;
        pool the_pool(io, settings, pending);
        the_pool.start();
        while (clients-- != 0)
            spawn(ask_again_and_again(the_pool, "abc"));
        run(io, ask_and_stop(the_pool, mortals, 0));
    }

    void check_that_all_poisoned_are_told() const
    {
        BOOST_TEST(poisoned.size() == poisons);
        for (const auto& outcome : poisoned)
            BOOST_TEST((outcome.has_error() && outcome.error() == make_error_code(failure::connection_lost, true)));
    }

    // Returns how often a backend died.
    int play(std::size_t backends, unsigned clients, std::chrono::nanoseconds latency)
    {
        io.restart();
        errors.clear();
        poisoned.clear();
        std::list<mortal_backend> mortals;
        std::vector<net::host_port> addresses;
        while (mortals.size() != backends)
            addresses.push_back(mortals.emplace_back(io, latency).address());
        auto settings = settings_for(addresses);
        settings.reply_timeout = 2s; // as the program has it
        pool the_pool(io, settings, pending);
        the_pool.start();
        run(io, ask_and_stop(the_pool, mortals, clients));
        BOOST_TEST(the_pool.idle());
        const auto counts = the_pool.counts();
        BOOST_TEST(counts.lost == poisons);
        BOOST_TEST(counts.received == counts.ended());
        int deaths = 0;
        for (const auto& mortal : mortals)
            deaths += mortal.deaths();
        return deaths;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(poison, fixture)

// All of them ask at the same instant, which is the worst case: any of them may be to blame.
BOOST_AUTO_TEST_CASE(a_message_that_kills_its_backend_costs_no_other_an_error)
{
    for (const std::size_t backends : {1U, 2U})
        for (const unsigned clients : {1U, 32U})
            for (const auto latency : {0ms, 10ms, 100ms})
                BOOST_TEST_CONTEXT(backends << " backends, " << clients << " clients, " << latency.count() << " ms")
                {
                    const auto deaths = play(backends, clients, latency);
                    BOOST_TEST_MESSAGE(backends << " backends, " << clients << " clients, " << latency.count()
                                                << " ms: " << deaths << " deaths");
                    BOOST_TEST(errors.empty());
                    check_that_all_poisoned_are_told();
                    BOOST_TEST(deaths <= strikes + 10);
                }
}

// As when all clients open the page that has begun to crash the backend.
BOOST_AUTO_TEST_CASE(however_many_ask_for_it_costs_no_other_an_error)
{
    for (const std::size_t backends : {1U, 2U})
        for (const unsigned poisonous : {8U, 32U})
            for (const auto latency : {0ms, 10ms, 100ms})
                BOOST_TEST_CONTEXT(backends << " backends, " << poisonous << " times, " << latency.count() << " ms")
                {
                    poisons = poisonous;
                    const auto deaths = play(backends, 24, latency);
                    BOOST_TEST_MESSAGE(backends << " backends, " << poisonous << " times, " << latency.count()
                                                << " ms: " << deaths << " deaths");
                    BOOST_TEST(errors.empty());
                    check_that_all_poisoned_are_told();
                    BOOST_TEST(deaths <= strikes + 10);
                }
}

// The event loops of one process, at one backend: what one of them writes takes down the connections of both.
BOOST_AUTO_TEST_CASE(it_brings_the_blame_on_no_request_on_another_event_loop)
{
    for (const auto agony : {0ms, 30ms})
        for (const auto latency : {0ms, 10ms, 100ms})
            BOOST_TEST_CONTEXT(latency.count() << " ms, and " << agony.count() << " ms to die")
            {
                io.restart();
                errors.clear();
                poisoned.clear();
                mortal_backend mortal(io, latency, agony);
                auto settings = settings_for({mortal.address()});
                settings.reply_timeout = 2s;
                std::list<pool> pools;
                for (int loop = 0; loop != 2; ++loop)
                    pools.emplace_back(io, settings, pending).start();
                run(io, ask_two_and_stop(pools, mortal, 4));
                BOOST_TEST(errors.empty());
                BOOST_TEST(pools.front().counts().lost == 1U);
                BOOST_TEST(pools.back().counts().lost == 0U);
                check_that_all_poisoned_are_told();
            }
}

// A new version of the backend, for example, that has a bug.
BOOST_AUTO_TEST_CASE(what_kills_one_backend_is_answered_by_another)
{
    for (const auto latency : {0ms, 10ms, 20ms, 40ms, 100ms})
        BOOST_TEST_CONTEXT(latency.count() << " ms")
        {
            io.restart();
            errors.clear();
            std::list<mortal_backend> backends;
            backends.emplace_back(io, latency);
            backends.emplace_back(io, latency, 0s, "none");
            auto settings = settings_for({backends.front().address(), backends.back().address()});
            settings.reply_timeout = 2s;
            pool the_pool(io, settings, pending);
            the_pool.start();
            for (int client = 0; client != 16; ++client)
                spawn(ask_now_and_then_for_poison(the_pool, client));
            run(io, ask_and_stop(the_pool, backends, 0));
            BOOST_TEST(errors.empty());
            BOOST_TEST(backends.front().deaths() != 0);
        }
}

BOOST_AUTO_TEST_CASE(by_itself_it_is_told_after_a_few_deaths)
{
    mortal_backend mortal(io, 10ms);
    pool the_pool(io, settings_for({mortal.address()}), pending);
    the_pool.start();
    ++running;
    run(io, [](fixture& test, pool& asked, mortal_backend& backend) -> awaitable<> {
        co_await test.poison(asked);
        asked.stop();
        backend.stop();
    }(*this, the_pool, mortal));
    check_that_all_poisoned_are_told();
    BOOST_TEST(mortal.deaths() == strikes + 2); // one made it a suspect, and one showed that it needs quiet
}

BOOST_AUTO_TEST_CASE(a_client_that_asks_for_it_again_is_told_at_once_for_a_while)
{
    mortal_backend mortal(io, 10ms);
    auto settings = settings_for({mortal.address()});
    settings.reply_timeout = 2s;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io, [](pool& asked, mortal_backend& backend) -> awaitable<> {
        co_await ask(asked, "BAD");
        const auto deaths = backend.deaths();
        BOOST_TEST((co_await ask(asked, "BAD")).error() == make_error_code(failure::connection_lost, false));
        BOOST_TEST(backend.deaths() == deaths);

        co_await sleep(upstream::multiplexer::condemned_for);
        BOOST_TEST((co_await ask(asked, "BAD")).error() == make_error_code(failure::connection_lost, true));
        BOOST_TEST(backend.deaths() > deaths);
        asked.stop();
        backend.stop();
    }(the_pool, mortal));
}

// As one that crashes soon after each start until its database is there, whatever it is asked.
BOOST_AUTO_TEST_CASE(a_backend_that_dies_of_everything_for_a_while_fails_no_popular_message)
{
    for (const std::size_t backends : {1U, 2U, 3U})
        BOOST_TEST_CONTEXT(backends << " backends")
        {
            io.restart();
            const auto well_again = clock::now() + 600ms;
            std::list<mortal_backend> mortals;
            while (mortals.size() != backends)
                mortals.emplace_back(io, 30ms, 20ms, [&](const std::string& code) {
                    return code == "abc" && clock::now() < well_again;
                });
            all_ask_for_one_code(mortals, 16, 2s);
            BOOST_TEST(errors.empty());
            BOOST_TEST(mortals.front().deaths() > strikes + 1);
        }
}

// If all that ask for the code were written again together each time, these would be more messages than it survives.
BOOST_AUTO_TEST_CASE(a_backend_that_dies_again_and_again_fails_no_popular_message)
{
    constexpr int messages_of_a_life = 20;
    int messages = 0;
    std::list<mortal_backend> mortals;
    mortals.emplace_back(io, 10ms, 0s, [&](const std::string&) { return ++messages % messages_of_a_life == 0; });
    all_ask_for_one_code(mortals, 32, 1s);
    BOOST_TEST(errors.empty());
    BOOST_TEST(mortals.front().deaths() > requests_of_a_client);
}

// It is not identified, and costs others their time.
BOOST_AUTO_TEST_CASE(what_kills_slowly_brings_the_blame_on_nobody_else)
{
    std::list<mortal_backend> mortals;
    mortals.emplace_back(io, 20ms, 60ms);
    auto settings = settings_for({mortals.front().address()});
    settings.reply_timeout = 2s;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io, ask_and_stop(the_pool, mortals, 4));
    BOOST_TEST(mortals.front().deaths() > strikes);
    BOOST_TEST(the_pool.counts().lost == 0U);
    BOOST_TEST(poisoned.front().error() == make_error_code(failure::timed_out, true));
}

BOOST_AUTO_TEST_CASE(a_backend_that_dies_of_the_code_of_a_probe_serves_all_others)
{
    mortal_backend mortal(io, 10ms, 0s, "200");
    auto settings = settings_for({mortal.address()});
    settings.reply_timeout = 2s;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io, [](fixture& test, pool& asked, mortal_backend& backend) -> awaitable<> {
        BOOST_TEST((co_await ask(asked, "200")).has_error());
        ++test.running;
        co_await test.ask_again_and_again(asked, "404");
        asked.stop();
        backend.stop();
    }(*this, the_pool, mortal));
    BOOST_TEST(errors.empty());
}

BOOST_AUTO_TEST_CASE(with_a_window_of_1_a_backend_that_ignores_the_code_of_a_probe_is_served_again)
{
    bool died = false;
    backend_double backend(io, [&](peer& peer) -> awaitable<> {
        for (auto code = co_await peer.read_code(); !code.empty(); code = co_await peer.read_code()) {
            if (!std::exchange(died, true))
                co_return peer.reset();
            if (code != "200")
                co_await peer.reply(code);
        }
    });
    auto settings = settings_for({backend.address()});
    settings.reply_timeout = 2s;
    settings.window = 1;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io, [](fixture& test, pool& asked, backend_double& answering) -> awaitable<> {
        ++test.running;
        co_await test.ask_again_and_again(asked, "404");
        asked.stop();
        answering.stop();
    }(*this, the_pool, backend));
    BOOST_TEST(errors.empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
