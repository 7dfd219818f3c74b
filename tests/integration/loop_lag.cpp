#include "loop_lag.hpp"

#include <algorithm>

namespace causeway::test {
namespace {

constexpr auto interval = std::chrono::milliseconds(2);

} // namespace

loop_lag::loop_lag(const executor_type& executor)
    : timer_(executor)
{
}

awaitable<> loop_lag::run()
{
    while (!stopped_) {
        timer_.expires_after(interval);
        co_await timer_.async_wait(as_result);
        const auto now = clock::now();
        ticks_.push_back({now, now - timer_.expiry()});
    }
}

void loop_lag::stop()
{
    stopped_ = true;
    timer_.cancel();
}

std::chrono::nanoseconds loop_lag::worst_since(clock::time_point begin) const
{
    auto worst = std::max(clock::now() - timer_.expiry(), clock::duration::zero()); // of the tick that is due
    for (auto tick = ticks_.rbegin(); tick != ticks_.rend() && tick->at >= begin; ++tick)
        worst = std::max(worst, tick->late);
    return worst + interval;
}

} // namespace causeway::test
