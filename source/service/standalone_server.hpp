// The backend servers as separate processes.
#pragma once

#include "service/live_settings.hpp"

namespace causeway::service {

/// Serve until SIGINT or SIGTERM; return the exit status, 0. Throw `std::exception` when they cannot start. SIGHUP
/// reloads the settings. Call one of them once, from `main`.
int run_code_server(live_settings<code_server_settings>& settings);
int run_iso8583_host(live_settings<iso8583_host_settings>& settings);

} // namespace causeway::service
