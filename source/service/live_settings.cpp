#include "service/live_settings.hpp"

#include <spdlog/spdlog.h>

namespace causeway::service {

void log_reload(const transition& next, const std::vector<std::string>& errors)
{
    for (const auto& error : errors)
        spdlog::error("reload: {}", error);
    if (!errors.empty())
        return spdlog::error("reload: all settings are kept as they were; correct what is wrong and send SIGHUP again");
    for (const auto& text : next.applied)
        spdlog::info("reload: {}", text);
    for (const auto& text : next.need_restart)
        spdlog::warn("reload: {}", text);
    if (next.applied.empty() && next.need_restart.empty())
        spdlog::info("reload: no setting has changed");
}

} // namespace causeway::service
