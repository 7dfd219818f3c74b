#include "upstream/pool.hpp"

#include <algorithm>

namespace causeway::upstream {

pool::pool(asio::io_context& io, const pool_settings& settings, net::limit& pending)
    : executor_(io.get_executor())
    , reply_timeout_(settings.reply_timeout)
    , protocol_(settings.protocol)
    , pending_(pending)
    , requests_(executor_, settings.window, settings.coalesce)
{
    for (const auto& upstream : settings.upstreams)
        links_.emplace_back(executor_, upstream, protocol_, settings.reply_timeout, settings.reconnect_max, requests_);
}

awaitable<outcome> pool::ask(question question, steady_timer& deadline)
{
    const auto now = clock::now();
    if (given_up(now)) {
        ++counts_.unavailable;
        co_return failure{failure::unavailable};
    }
    if (!protocol_.shares_keys && requests_.is_taken(question.key, now)) {
        ++counts_.duplicates;
        co_return failure{failure::duplicate};
    }
    const auto place = pending_.try_take();
    if (!place) {
        ++counts_.overloaded;
        co_return failure{failure::overloaded};
    }

    deadline.expires_at(now + reply_timeout_);
    waiting_request request(requests_, question);
    if (!requests_.connected())
        std::ranges::for_each(links_, &link::hurry);

    auto [error, reply] = co_await request.receive(deadline);
    if (error)
        co_return failed(question, request, error, deadline.expiry());
    request.take_reply();
    co_return std::move(reply);
}

// Why a request that waited got no reply, counted.
failure pool::failed(const question& question, const waiting_request& request, error_code error,
                     clock::time_point deadline)
{
    const auto now = clock::now();
    if (request.written() && !protocol_.shares_keys)
        requests_.expect_late_reply(question.key, now + protocol_.late_replies);
    if (error == asio::error::connection_aborted) {
        ++counts_.lost;
        return {failure::connection_lost, request.written()};
    }
    if (stopped_) {
        ++counts_.unavailable;
        return {failure::unavailable, request.written()};
    }
    ++(now < deadline ? counts_.abandoned : counts_.timed_out);
    return {failure::timed_out, request.written()};
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
    requests_.fail_all(asio::error::operation_aborted);
    std::ranges::for_each(links_, &link::stop);
}

bool pool::idle() const { return requests_.idle() && std::ranges::all_of(links_, &link::idle); }

statistics pool::counts() const
{
    auto sum = counts_;
    for (const auto& link : links_)
        sum += link.counts();
    return sum;
}

} // namespace causeway::upstream
