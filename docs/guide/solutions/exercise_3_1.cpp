// Exercise 3.1: pauses one after the other take as long as their sum, pauses side by side as long as the longest.
#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <chrono>
#include <exception>

namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

void rethrow(std::exception_ptr thrown)
{
    if (thrown)
        std::rethrow_exception(thrown);
}

// [pause]
asio::awaitable<void> pause(std::chrono::milliseconds duration)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, duration);
    co_await timer.async_wait(asio::deferred);
}

asio::awaitable<void> one_after_the_other()
{
    co_await pause(50ms);
    co_await pause(100ms);
}

asio::awaitable<void> side_by_side()
{
    using namespace asio::experimental::awaitable_operators;
    co_await (pause(50ms) && pause(100ms));
}
// [/pause]

clock::duration time_of(asio::awaitable<void> pauses)
{
    asio::io_context io(1);
    asio::co_spawn(io, std::move(pauses), rethrow);
    const auto begin = clock::now();
    io.run();
    return clock::now() - begin;
}

} // namespace

int main()
{
    const auto sum = time_of(one_after_the_other());
    // On a busy machine a pause may last longer, so the quickest of some tries is looked at.
    auto longest = time_of(side_by_side());
    for (int again = 0; again != 20 && longest >= 150ms; ++again)
        longest = time_of(side_by_side());
    return sum >= 150ms && longest >= 100ms && longest < 150ms ? 0 : 1;
}
