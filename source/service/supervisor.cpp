#include "service/supervisor.hpp"

#include "net/sleep.hpp"
#include "net/until_first.hpp"

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ranges>
#include <utility>

namespace causeway::service {

using namespace std::chrono_literals;

supervisor::supervisor(asio::io_context& io, std::list<event_loop>& loops, live_settings<bridge_settings>& settings,
                       preparation prepare, service_manager& manager)
    : io_(io)
    , loops_(loops)
    , place_(loops.front().endpoint())
    , settings_(settings)
    , prepare_(std::move(prepare))
    , manager_(manager)
    , signals_(io, SIGINT, SIGTERM)
    , hangups_(io, SIGHUP)
    , loop_ended_(io.get_executor())
    , running_(loops.size())
{
}

awaitable<> supervisor::run()
{
    co_await net::until_first(serve_and_stop(), reload_at_hangups(hangups_, settings_, prepare_, manager_));
}

awaitable<> supervisor::serve_and_stop()
{
    co_await signal();
    announce_the_end();
    co_await net::until_first(net::sleep(settings_.now().drain_delay), signal());
    drain();
    const auto first = co_await net::until_first(all_ended(), net::sleep(settings_.now().drain_timeout), signal());
    if (first != 0) {
        std::ranges::for_each(loops_, &event_loop::cut);
        co_await all_ended();
    }
}

// A load balancer sees this on the admin pages, and sends its clients elsewhere.
void supervisor::announce_the_end()
{
    const auto delay = settings_.now().drain_delay;
    draining_ = true;
    manager_.stopping(delay + settings_.now().drain_timeout);
    if (delay > 0s)
        spdlog::info(
            "stopping in {} ms: /readyz says so, and everything is served until then; another signal begins the "
            "drain at once",
            std::chrono::duration_cast<std::chrono::milliseconds>(delay).count());
}

void supervisor::drain()
{
    spdlog::info("stopping: no new connections, requests in flight are finished; another signal ends at once");
    const auto others = net::others_listening_on(place_, loops_.size());
    if (!others)
        spdlog::warn("cannot read in /proc/self/net/tcp whether another process serves this port, so a client that "
                     "connects now may wait for a second");
    else if (*others == 0)
        refuse_newcomers();
    for (auto& loop : loops_)
        loop.drain(others_that_get_newcomers(others.value_or(0)));
}

// Until the last socket is told to refuse, all new connections go to it. It has the number 0 if this process was the
// first on its port.
void supervisor::refuse_newcomers()
{
    loops_.front().deal_newcomers({.first = 0, .count = 1});
    for (auto& loop : loops_ | std::views::reverse)
        loop.refuse_newcomers();
}

// In a rolling restart this is the older process, so its own sockets come first, followed by those of the others. The
// numbers are chosen such that no socket has them once our own are closed: from then on the kernel distributes over all
// that are left.
net::sockets_of_port supervisor::others_that_get_newcomers(std::size_t others) const
{
    const auto own = loops_.size();
    return {.first = std::max(own, others), .count = std::min(own, others)};
}

void supervisor::loop_ended()
{
    asio::post(io_, [this] {
        --running_;
        loop_ended_.notify();
    });
}

awaitable<> supervisor::all_ended()
{
    while (running_ != 0)
        co_await loop_ended_.wait();
}

awaitable<> supervisor::signal() { co_await signals_.async_wait(as_result); }

} // namespace causeway::service
