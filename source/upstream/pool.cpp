#include "upstream/pool.hpp"

#include "net/worth_a_line.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace causeway::upstream {
namespace {

void note_wait(net::trace& trace, const std::optional<writing>& written, clock::time_point ended_at)
{
    trace.ended_at = ended_at;
    if (written) {
        trace.upstream = written->on->name();
        trace.written_at = written->at;
    }
}

// When its reply timeout begins.
clock::time_point begin_of(const question& question, net::trace* trace)
{
    if (trace == nullptr)
        return clock::now();
    if (trace->details != nullptr)
        trace->details->key = question.key.text();
    return trace->read_at;
}

} // namespace

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
    , request_durations_(reply_timeout_)
    , reply_durations_(reply_timeout_)
{
    for (const auto& upstream : settings.upstreams)
        links_.emplace_back(executor_, upstream, protocol_, settings.reply_timeout, settings.reconnect_max, requests_,
                            *outages_, *trials_, [this] { hurry(); });
    apply(settings);
}

void pool::apply(const pool_settings& settings)
{
    reply_timeout_ = settings.reply_timeout;
    requests_.set_window(settings.window);
    auto tls = settings.tls;
    tls.resize(links_.size());
    for (auto& link : links_) {
        link.apply(settings.reply_timeout, settings.reconnect_max, std::move(tls.front()));
        tls.pop_front();
    }
}

awaitable<outcome> pool::ask(question question, steady_timer& deadline, net::trace* trace)
{
    const auto now = begin_of(question, trace);
    ++counts_.received;
    if (stopped_)
        co_return failed(failure::unavailable, counts_.stopped, trace);
    if (given_up(now))
        co_return failed(failure::unavailable, counts_.unavailable, trace);
    if (!protocol_.shares_keys && is_taken(question, now))
        co_return failed(failure::duplicate, counts_.duplicates, trace);
    if (requests_.is_condemned(question.key, now))
        co_return failed(failure::connection_lost, counts_.lost, trace);
    const auto place = pending_.try_take();
    if (!place || late_replies_.full())
        co_return failed(failure::overloaded, counts_.overloaded, trace);

    deadline.expires_at(now + reply_timeout_);
    waiter waiting(now);
    waiters_.push_back(waiting);
    waiting_request request(requests_, question);
    if (trace != nullptr && trace->details != nullptr)
        trace->details->queued_at = clock::now();
    if (requests_.has_unserved())
        hurry();

    auto [order, error, reply, expiry] = co_await request.receive(deadline);
    if (!error) {
        replied(waiting, request.take_reply(), trace);
        if (question.repeats_another) // the reply may have been to the other one
            late_replies_.expect(question.key, clock::now() + protocol_.late_replies);
        co_return std::move(reply);
    }
    const auto ended_at = clock::now();
    request_durations_.add(ended_at - waiting.since);
    if (trace != nullptr)
        note_wait(*trace, request.last_written(), ended_at);
    if (request.written() && !protocol_.shares_keys)
        late_replies_.expect(question.key, ended_at + protocol_.late_replies);
    co_return make_error_code(why_it_failed(error, deadline, ended_at, trace), request.written());
}

// This needs no clock reading: the reply arrived when the connection was last read.
void pool::replied(const waiter& waited, const std::optional<writing>& answered, net::trace* trace)
{
    const auto came_at = requests_.received_at();
    ++counts_.replied;
    request_durations_.add(came_at - waited.since);
    if (answered)
        reply_durations_.add(came_at - answered->at);
    if (trace != nullptr) {
        trace->outcome = "reply";
        note_wait(*trace, answered, came_at);
    }
}

// Why a request that waited has failed.
failure pool::why_it_failed(error_code error, const steady_timer& deadline, clock::time_point now, net::trace* trace)
{
    if (error == asio::error::connection_aborted)
        return failed(failure::connection_lost, counts_.lost, trace);
    if (stopped_)
        return failed(failure::unavailable, counts_.stopped, trace);
    if (now >= deadline.expiry())
        return failed(failure::timed_out, counts_.timed_out, trace);
    ++counts_.abandoned; // its client is gone, so this is not a failure to report
    if (trace != nullptr)
        trace->outcome = "abandoned";
    return failure::timed_out;
}

// Counts and reports.
failure pool::failed(failure why, std::uint64_t& count, net::trace* trace)
{
    if (trace != nullptr)
        trace->outcome = stopped_ && why == failure::unavailable ? "stopped" : name_of(why);
    if (net::worth_a_line(++count) && !stopped_)
        spdlog::warn("a request got no reply: {} ({} such so far)", make_error_code(why).message(), count);
    return why;
}

bool pool::is_taken(const question& question, clock::time_point now)
{
    const bool late_reply_may_come = late_replies_.may_come_for(question.key, now);
    return requests_.is_waited_for(question.key) || (late_reply_may_come && !question.repeats_another);
}

// After such a long time without any upstream, a new request would most likely time out.
bool pool::given_up(clock::time_point now) const
{
    return std::ranges::all_of(links_, [&](const link& link) { return link.down_for(now) > reply_timeout_; });
}

// Requests wait that no connection serves.
void pool::hurry() { std::ranges::for_each(links_, &link::hurry); }

void pool::start() { std::ranges::for_each(links_, &link::start); }

void pool::stop()
{
    stopped_ = true;
    requests_.fail_all(asio::error::operation_aborted);
    std::ranges::for_each(links_, &link::stop);
}

void pool::observe(wire_observer* observer)
{
    for (auto& link : links_)
        link.observe(observer);
}

bool pool::idle() const { return requests_.idle() && std::ranges::all_of(links_, &link::idle); }

statistics pool::counts() const
{
    connection_counts connections;
    for (const auto& link : links_)
        connections += link.counts();
    return {counts_, connections};
}

pool_figures pool::figures() const
{
    const auto now = clock::now();
    pool_figures figures{.requests = counts_,
                         .waiting = requests_.waiting(),
                         .request_durations = request_durations_,
                         .reply_durations = reply_durations_,
                         .upstreams = {}};
    if (!waiters_.empty())
        figures.oldest_waiting = now - waiters_.front().since;
    for (const auto& link : links_)
        figures.upstreams.push_back(
            {link.counts(), link.down_for(now) == std::chrono::nanoseconds::zero() ? 1U : 0U, link.on_the_wire()});
    return figures;
}

} // namespace causeway::upstream
