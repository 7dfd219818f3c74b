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
    auto& known = records_[upstream];
    if (std::exchange(known.now, now) == now)
        return false;
    if (const auto time = clock::now(); time - known.window_began >= window)
        known = {now, time, 0};
    if (++known.lines == most_lines)
        spdlog::warn("upstream {}: it goes up and down; further lines within {} s are for --log-level debug", upstream,
                     std::chrono::duration_cast<std::chrono::seconds>(window).count());
    return known.lines < most_lines;
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
