// Reads the settings again whenever SIGHUP arrives.
#pragma once

#include "net/asio.hpp"
#include "service/live_settings.hpp"
#include "service/service_manager.hpp"

#include <boost/asio/signal_set.hpp>

namespace causeway::service {

/// Signals that a coroutine waits for.
using signal_set = asio::basic_signal_set<executor_type>;

/// Reloads `settings` with `prepare` at each of `hangups`, and tells the service manager, until it is cancelled. Run it
/// beside what ends the program, with `until_first`: a hangup that arrives together with the signal to stop must not
/// begin another wait, and only the coroutine's own cancellation prevents that. What it refers to outlives it. Closing
/// a terminal also sends SIGHUP, which is harmless this way.
template <class Settings>
awaitable<> reload_at_hangups(signal_set& hangups, live_settings<Settings>& settings,
                              const typename live_settings<Settings>::preparation& prepare, service_manager& manager)
{
    for (;;) {
        const auto [cancelled, number] = co_await hangups.async_wait(as_result);
        if (cancelled)
            co_return;
        manager.reloading();
        settings.reload(prepare);
        manager.reloaded();
    }
}

} // namespace causeway::service
