#include "admin/status.hpp"

#include "admin/health.hpp"

#include <fmt/format.h>

namespace causeway::admin {

std::string status_of(const report& report)
{
    auto condition = readiness_of(report);
    condition.pop_back(); // its line feed
    const auto& requests = report.sum.upstream.requests;
    return fmt::format("{}; {} connections, {} requests wait, {} of {} event loops have an upstream; {} replies, {} "
                       "timed out, {} unavailable, {} overloaded, {} lost, {} abandoned",
                       condition, report.connections, report.sum.upstream.waiting.all(), report.loops_with_an_upstream,
                       report.loops, requests.replied, requests.timed_out, requests.unavailable, requests.overloaded,
                       requests.lost, requests.abandoned);
}

} // namespace causeway::admin
