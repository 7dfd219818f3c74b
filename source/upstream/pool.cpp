#include "upstream/pool.hpp"

#include <algorithm>

namespace causeway::upstream {

pool::pool(asio::io_context& io, const pool_settings& settings, net::limit& pending)
    : executor_(io.get_executor())
    , reply_timeout_(settings.reply_timeout)
    , pending_(pending)
    , requests_(settings.window, settings.coalesce)
    , replies_(executor_)
{
    for (const auto& upstream : settings.upstreams)
        links_.emplace_back(executor_, upstream, settings.reply_timeout, settings.reconnect_max, requests_, replies_);
}

awaitable<answer> pool::ask(codes::code code, steady_timer& deadline)
{
    const auto now = clock::now();
    if (given_up(now))
        co_return failure::unavailable;
    const auto place = pending_.try_take();
    if (!place)
        co_return failure::overloaded;

    deadline.expires_at(now + reply_timeout_);
    reply_channels::subscription subscription(replies_, code);
    waiting_request request(requests_, code);
    if (!requests_.connected())
        std::ranges::for_each(links_, &link::hurry);

    auto [error, reply] = co_await subscription.receive(deadline);
    if (!error) {
        request.answered_by(*reply.from);
        co_return std::move(reply.line);
    }
    if (stopped_)
        co_return failure::unavailable;
    ++(clock::now() < deadline.expiry() ? abandoned_ : timed_out_);
    co_return failure::timed_out;
}

// After so long a time without any upstream, who starts to wait would most likely wait for nothing.
bool pool::given_up(clock::time_point now) const
{
    return stopped_ ||
           std::ranges::all_of(links_, [&](const link& link) { return link.down_for(now) > reply_timeout_; });
}

void pool::start() { std::ranges::for_each(links_, &link::start); }

void pool::stop()
{
    stopped_ = true;
    replies_.close();
    std::ranges::for_each(links_, &link::stop);
}

bool pool::idle() const
{
    return replies_.size() == 0 && requests_.backlog() == 0 && requests_.questions() == 0 &&
           std::ranges::all_of(links_, &link::idle);
}

statistics pool::counts() const
{
    statistics sum;
    for (const auto& link : links_)
        sum += link.counts();
    sum.timed_out = timed_out_;
    sum.abandoned = abandoned_;
    return sum;
}

} // namespace causeway::upstream
