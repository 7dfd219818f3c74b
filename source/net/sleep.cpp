#include "net/sleep.hpp"

#include <boost/asio/this_coro.hpp>

namespace causeway::net {

awaitable<> sleep(std::chrono::nanoseconds duration)
{
    steady_timer timer(co_await asio::this_coro::executor, duration);
    co_await timer.async_wait(as_result);
}

} // namespace causeway::net
