// Signs of life for the service manager.
#pragma once

#include "net/asio.hpp"
#include "service/service_manager.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace causeway::service {

/// Regularly tells the service manager how the process is: every ten seconds, or after half of the watchdog's time.
/// Without a service manager it does nothing. Belongs to one event loop, which outlives it; every call is made on its
/// thread. Once started it outlives its coroutine: after `stop` the loop runs until that has ended.
class heartbeat {
public:
    static constexpr std::chrono::nanoseconds status_interval = std::chrono::seconds(10);

    /// How the process is: a line for people, and whether every event loop is running.
    struct condition {
        std::string status;
        bool alive = true;
    };

    /// Looks at the process. May use the timer to wait for what it needs, and ends soon when that is cancelled. While
    /// an event loop is stuck it is called again at once, so it must take some time to find that out.
    using look = std::function<awaitable<condition>(steady_timer& timer)>;

    /// `manager` outlives it.
    heartbeat(asio::io_context& io, service_manager& manager, look look_at_process);

    void start();
    void stop();

private:
    awaitable<> run();

    asio::io_context& io_;
    service_manager& manager_;
    look look_at_process_;
    steady_timer timer_;
    bool stopped_ = false;
};

} // namespace causeway::service
