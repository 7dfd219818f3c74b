// Exercise 8.1: serve for a while before the drain begins.
#include "../until_first.hpp"

#include <csignal>
#include <string>

using namespace guide;

namespace {

awaitable<void> signal(asio::signal_set& signals) { co_await signals.async_wait(as_result); }

// [supervise]
awaitable<void> supervise(asio::signal_set& signals, std::chrono::nanoseconds drain_delay, std::string& story)
{
    co_await signal(signals);
    story += "about to stop";
    const auto first = co_await until_first(sleep(drain_delay), signal(signals));
    story += first == 0 ? ", after a delay" : ", at another signal";
    story += ": drain";
}
// [/supervise]

// What happens when so many signals come.
std::string story_of(int count, std::chrono::nanoseconds drain_delay)
{
    asio::io_context io(1);
    asio::signal_set signals(io, SIGTERM);
    std::string story;
    asio::co_spawn(io, supervise(signals, drain_delay, story), rethrow);
    io.poll();
    for (int sent = 0; sent != count; ++sent) {
        std::raise(SIGTERM);
        io.restart();
        io.run_one_for(1s); // it hears of the signal
        io.poll();
    }
    io.restart();
    io.run_for(10s);
    return story;
}

} // namespace

int main()
{
    return story_of(1, 10ms) == "about to stop, after a delay: drain" &&
                   story_of(2, 1h) == "about to stop, at another signal: drain"
               ? 0
               : 1;
}
