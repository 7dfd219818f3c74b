// The life of the process: serve, be told to stop, wait until load balancers know it, drain, end; and reload meanwhile.
#pragma once

#include "net/asio.hpp"
#include "net/leave_port.hpp"
#include "net/wakeup.hpp"
#include "service/event_loop.hpp"
#include "service/live_settings.hpp"
#include "service/reload_at_hangups.hpp"
#include "service/service_manager.hpp"

#include <cstddef>
#include <list>

namespace causeway::service {

/// Runs on the main thread while the event loops run on theirs. Every call except `loop_ended` is made on the main
/// thread.
class supervisor {
public:
    using preparation = live_settings<bridge_settings>::preparation;

    /// Handles SIGINT, SIGTERM and SIGHUP from now on. `io`, `loops`, `settings` and `manager` outlive it; `prepare` is
    /// passed to `live_settings::reload` at each SIGHUP.
    supervisor(asio::io_context& io, std::list<event_loop>& loops, live_settings<bridge_settings>& settings,
               preparation prepare, service_manager& manager);

    /// Ends when it was told to stop and all event loops have ended.
    awaitable<> run();

    /// Any thread: one event loop has ended.
    void loop_ended();

    /// Whether it has been told to stop.
    bool draining() const noexcept { return draining_; }

private:
    awaitable<> serve_and_stop();
    void announce_the_end();
    void drain();
    void refuse_newcomers();
    net::sockets_of_port others_that_get_newcomers(std::size_t others) const;
    awaitable<> all_ended();
    awaitable<> signal();

    asio::io_context& io_;
    std::list<event_loop>& loops_;
    tcp::endpoint place_;
    live_settings<bridge_settings>& settings_;
    preparation prepare_;
    service_manager& manager_;
    signal_set signals_;
    signal_set hangups_;
    net::wakeup loop_ended_;
    std::size_t running_;
    bool draining_ = false;
};

} // namespace causeway::service
