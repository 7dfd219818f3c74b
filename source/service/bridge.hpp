// The bridge as a process: event loops, the embedded code server, signals.
#pragma once

#include "service/settings.hpp"

namespace causeway::service {

/// Serves until SIGINT or SIGTERM, then finishes the requests under way. Throws `std::exception` when it cannot
/// start, with a message that says what to do. Call once, from `main`.
void run_bridge(const bridge_settings& settings);

} // namespace causeway::service
