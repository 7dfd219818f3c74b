#include "service/loop_threads.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>

namespace causeway::service {

loop_threads::loop_threads(std::list<event_loop>& loops, const std::function<void(const event_loop&)>& loop_ended)
    : loop_threads(loops) // from here on the destructor runs, even if a thread cannot be created
{
    for (auto& loop : loops_)
        start(loop, loop_ended);
}

loop_threads::~loop_threads() { std::ranges::for_each(loops_, &event_loop::cut); }

void loop_threads::start(event_loop& loop, const std::function<void(const event_loop&)>& loop_ended)
try {
    threads_.emplace_back([&loop, loop_ended] {
        loop.run();
        loop_ended(loop);
    });
} catch (const std::system_error& error) {
    throw std::runtime_error(fmt::format(
        "cannot start all of --threads={}: {}; choose fewer, or raise the limit of processes with ulimit -u, or "
        "TasksMax= in a systemd unit, or let a thread have a smaller stack with ulimit -s",
        loops_.size(), error.code().message()));
}

} // namespace causeway::service
