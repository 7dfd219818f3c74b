#include "admin/health.hpp"

#include <fmt/format.h>

namespace causeway::admin {

std::string health_of(const report& report)
{
    if (report.loops_responding == report.loops)
        return all_is_well;
    return fmt::format("{} of {} event loops did not answer within {} ms\n", report.loops - report.loops_responding,
                       report.loops,
                       std::chrono::duration_cast<std::chrono::milliseconds>(report.time_to_answer).count());
}

std::string readiness_of(const report& report)
{
    if (report.draining)
        return "draining\n";
    if (report.loops_responding != report.loops)
        return health_of(report);
    if (report.loops_with_an_upstream != report.loops)
        return fmt::format("{} of {} event loops have no connection to an upstream\n",
                           report.loops - report.loops_with_an_upstream, report.loops);
    return all_is_well;
}

} // namespace causeway::admin
