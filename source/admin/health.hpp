// Whether the process is well, for a supervisor, and whether it should be sent requests, for a load balancer.
#pragma once

#include "admin/report.hpp"

#include <string>

namespace causeway::admin {

/// What both say of a process that they find nothing wrong with.
inline constexpr auto all_is_well = "ok\n";

/// `all_is_well` while every event loop turns, otherwise a line that says what is wrong. A process that does not turn
/// any more is best started again.
std::string health_of(const report& report);

/// `all_is_well` while requests are welcome: it does not drain, every event loop turns, and each has a connection to an
/// upstream, because a client cannot choose its loop. Otherwise a line that says why not.
std::string readiness_of(const report& report);

} // namespace causeway::admin
