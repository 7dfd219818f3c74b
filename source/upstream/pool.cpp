#include "upstream/pool.hpp"

#include "net/worth_a_line.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace causeway::upstream {

pool::pool(asio::io_context& io, const pool_settings& settings, net::limit& pending)
    : executor_(io.get_executor())
    , reply_timeout_(settings.reply_timeout)
    , protocol_(settings.protocol)
    , outages_(settings.outages)
    , trials_(settings.trials)
    , pending_(pending)
    , requests_(executor_, settings.window,
                !settings.protocol.shares_keys ? key_use::own
                : settings.coalesce            ? key_use::coalesced
                                               : key_use::shared)
{
    for (const auto& upstream : settings.upstreams)
        links_.emplace_back(executor_, upstream, protocol_, settings.reply_timeout, settings.reconnect_max, requests_,
                            *outages_, *trials_);
}

awaitable<outcome> pool::ask(question question, steady_timer& deadline)
{
    const auto now = clock::now();
    if (given_up(now))
        co_return failed(failure::unavailable, counts_.unavailable);
    if (!protocol_.shares_keys && requests_.is_taken(question.key, now))
        co_return failed(failure::duplicate, counts_.duplicates);
    if (requests_.is_condemned(question.key, now))
        co_return failed(failure::connection_lost, counts_.lost);
    const auto place = pending_.try_take();
    if (!place)
        co_return failed(failure::overloaded, counts_.overloaded);

    deadline.expires_at(now + reply_timeout_);
    waiting_request request(requests_, question);
    if (!requests_.connected())
        std::ranges::for_each(links_, &link::hurry);

    auto [error, reply] = co_await request.receive(deadline);
    if (!error) {
        request.take_reply();
        co_return std::move(reply);
    }
    if (request.written() && !protocol_.shares_keys)
        requests_.expect_late_reply(question.key, clock::now() + protocol_.late_replies);
    co_return make_error_code(why_it_failed(error, deadline), request.written());
}

// Of a request that waited.
failure pool::why_it_failed(error_code error, const steady_timer& deadline)
{
    if (error == asio::error::connection_aborted)
        return failed(failure::connection_lost, counts_.lost);
    if (stopped_)
        return failed(failure::unavailable, counts_.unavailable);
    if (clock::now() >= deadline.expiry())
        return failed(failure::timed_out, counts_.timed_out);
    ++counts_.abandoned; // its client is gone, so nothing failed that anybody would miss
    return failure::timed_out;
}

// Counts and reports.
failure pool::failed(failure why, std::uint64_t& count)
{
    if (net::worth_a_line(++count) && !stopped_)
        spdlog::warn("a request got no reply: {} ({} such so far)", make_error_code(why).message(), count);
    return why;
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
