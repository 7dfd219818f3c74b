#include "service/heartbeat.hpp"

#include "net/rethrow.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <utility>

namespace causeway::service {

heartbeat::heartbeat(asio::io_context& io, service_manager& manager, look look_at_process)
    : io_(io)
    , manager_(manager)
    , look_at_process_(std::move(look_at_process))
    , timer_(io)
{
}

void heartbeat::start()
{
    if (manager_.listens())
        asio::co_spawn(io_, run(), net::rethrow);
}

awaitable<> heartbeat::run()
{
    const auto pause = std::min(status_interval, manager_.watchdog().value_or(2 * status_interval) / 2);
    while (!stopped_) {
        const auto now = co_await look_at_process_(timer_);
        manager_.tell(now.status, now.alive);
        if (!now.alive || stopped_)
            continue; // a loop that recovers late is still in time for the watchdog
        timer_.expires_after(pause);
        co_await timer_.async_wait(as_result);
    }
}

void heartbeat::stop()
{
    stopped_ = true;
    timer_.cancel();
}

} // namespace causeway::service
