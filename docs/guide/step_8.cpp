// Step 8: an end in good order. At SIGINT or SIGTERM no client comes in any more, requests under way get their answers,
// idle connections are closed, and then the program ends. And there are several event loops, each with all that it
// needs.
//
//   step_8 LISTEN-PORT BACKEND-PORT [REPLY-TIMEOUT-IN-MS [THREADS]]
#include "server.hpp"
#include "upstream.hpp"

#include <algorithm>
#include <csignal>
#include <exception>
#include <iostream>
#include <list>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace guide;

namespace {

constexpr auto drain_timeout = 10s;

// [event_loop]
// One thread's world. Nothing in it is touched by another thread while it runs.
class event_loop {
public:
    event_loop(const tcp::endpoint& listen, const tcp::endpoint& backend, std::chrono::milliseconds reply_timeout)
        : upstream_{backend, reply_timeout, {io_, 1}}
        , server_(io_, listen)
    {
    }

    // When the server has ended, nobody asks the upstream any more.
    void run()
    {
        asio::co_spawn(io_, until_first(server_.run(upstream_), upstream_.run()),
                       [](std::exception_ptr thrown, std::size_t) { rethrow(thrown); });
        io_.run();
    }

    // From any thread.
    void drain()
    {
        asio::post(io_, [this] { server_.drain(); });
    }
    void cut()
    {
        asio::post(io_, [this] { server_.cut(); });
    }

    tcp::endpoint place() const { return server_.place(); }

private:
    asio::io_context io_{1};
    upstream upstream_;
    server server_;
};
// [/event_loop]

// [supervise]
awaitable<void> signal(asio::signal_set& signals) { co_await signals.async_wait(as_result); }

awaitable<void> all_ended(std::size_t& running, wakeup& loop_ended)
{
    while (running != 0)
        co_await loop_ended.async_receive(as_result);
}

// Serve, be told to stop, drain, end; after the drain timeout or at another signal, end at once.
awaitable<void> supervise(std::list<event_loop>& loops, std::size_t& running, wakeup& loop_ended)
{
    asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM);
    co_await signal(signals);
    std::ranges::for_each(loops, &event_loop::drain);
    const auto first = co_await until_first(all_ended(running, loop_ended), sleep(drain_timeout), signal(signals));
    if (first != 0)
        std::ranges::for_each(loops, &event_loop::cut);
}
// [/supervise]

} // namespace

// [main]
int main(int argc, char* argv[])
{
    if (argc < 3) {
        std::cerr << "usage: " << argv[0] << " LISTEN-PORT BACKEND-PORT [REPLY-TIMEOUT-IN-MS [THREADS]]\n";
        return 2;
    }
    const std::chrono::milliseconds reply_timeout(argc > 3 ? std::stoi(argv[3]) : 2000);
    const auto threads = argc > 4 ? std::stoul(argv[4]) : std::max(1U, std::thread::hardware_concurrency());
    std::list<event_loop> loops;
    auto place = on_this_machine(argv[1]);
    while (loops.size() < threads) {
        loops.emplace_back(place, on_this_machine(argv[2]), reply_timeout);
        place = loops.front().place();
    }

    asio::io_context io(1);
    auto running = loops.size();
    wakeup loop_ended(io, 1);
    asio::co_spawn(io, supervise(loops, running, loop_ended), rethrow);
    io.poll(); // so that signals are caught before anybody is told of the port
    std::vector<std::jthread> workers;
    for (auto& loop : loops)
        workers.emplace_back([&] {
            loop.run();
            asio::post(io, [&] {
                --running;
                loop_ended.try_send(error_code());
            });
        });
    std::cout << "listening on http://127.0.0.1:" << place.port() << std::endl;
    io.run();
}
// [/main]
