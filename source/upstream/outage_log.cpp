#include "upstream/outage_log.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace causeway::upstream {
namespace {

spdlog::level::level_enum level_of(bool is_news, spdlog::level::level_enum news)
{
    return is_news ? news : spdlog::level::debug;
}

} // namespace

bool outage_log::note(const std::string& upstream, state now)
{
    const std::scoped_lock lock(mutex_);
    return std::exchange(states_[upstream], now) != now;
}

void outage_log::connected(const std::string& upstream, std::chrono::nanoseconds down_for)
{
    spdlog::log(level_of(note(upstream, state::up), spdlog::level::info), "upstream {}: connected after {:.3f} s",
                upstream, std::chrono::duration<double>(down_for).count());
}

void outage_log::lost(const std::string& upstream, std::string_view reason)
{
    spdlog::log(level_of(note(upstream, state::lost), spdlog::level::warn), "upstream {}: connection lost: {}",
                upstream, reason);
}

void outage_log::cannot_connect(const std::string& upstream, std::string_view reason)
{
    spdlog::log(level_of(note(upstream, state::unreachable), spdlog::level::warn),
                "upstream {}: cannot connect: {}; trying again until it works", upstream, reason);
}

} // namespace causeway::upstream
