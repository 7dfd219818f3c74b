// The code server as a process of its own.
#pragma once

#include "service/live_settings.hpp"

namespace causeway::service {

/// Serves until SIGINT or SIGTERM; gives the exit status, 0. Throws `std::exception` when it cannot start. SIGHUP
/// reloads the settings. Call once, from `main`.
int run_code_server(live_settings<code_server_settings>& settings);

} // namespace causeway::service
