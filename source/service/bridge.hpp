// The bridge as a process: event loops, the embedded code server, signals.
#pragma once

#include "service/live_settings.hpp"

namespace causeway::service {

/// Serves until SIGINT or SIGTERM, then finishes the requests in flight. Returns the exit status: 0 after a clean end,
/// 1 when requests had to be cut off. Throws `std::exception` when it cannot start, with a message that says what to
/// do. SIGHUP reloads the settings. Call once, from `main`.
int run_bridge(live_settings<bridge_settings>& settings);

} // namespace causeway::service
