#include "upstream/outage_log.hpp"

#include <spdlog/spdlog.h>

namespace causeway::upstream {
namespace {

spdlog::level::level_enum level_of(bool is_news, spdlog::level::level_enum news)
{
    return is_news ? news : spdlog::level::debug;
}

} // namespace

bool outage_log::note(const std::string& upstream, outage::event now)
{
    const std::scoped_lock lock(mutex_);
    const auto line = outages_[upstream].note(now, clock::now());
    if (line == outage::line::of_flapping)
        spdlog::warn("upstream {}: it goes up and down; further lines within {} s are for --log-level debug", upstream,
                     std::chrono::duration_cast<std::chrono::seconds>(outage::window).count());
    return line == outage::line::of_the_event;
}

void outage_log::connected(const std::string& upstream, std::chrono::nanoseconds down_for)
{
    spdlog::log(level_of(note(upstream, outage::event::connected), spdlog::level::info),
                "upstream {}: connected after {:.3f} s", upstream, std::chrono::duration<double>(down_for).count());
}

void outage_log::lost(const std::string& upstream, std::string_view reason)
{
    spdlog::log(level_of(note(upstream, outage::event::lost), spdlog::level::warn), "upstream {}: connection lost: {}",
                upstream, reason);
}

void outage_log::cannot_connect(const std::string& upstream, std::string_view reason)
{
    spdlog::log(level_of(note(upstream, outage::event::unreachable), spdlog::level::warn),
                "upstream {}: cannot connect: {}; trying again until it works", upstream, reason);
}

} // namespace causeway::upstream
