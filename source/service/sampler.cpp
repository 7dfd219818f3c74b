#include "service/sampler.hpp"

#include "net/clock.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace causeway::service {
namespace {

admin::sampled_request sample_of(const http::access& access)
{
    static const net::trace_details unknown; // of a request that began before anybody watched
    const auto& trace = access.trace;
    const auto& details = trace.details != nullptr ? *trace.details : unknown;
    admin::sampled_request sample{.id = access.id,
                                  .session = access.session,
                                  .key = details.key,
                                  .outcome = trace.outcome,
                                  .upstream = std::string(trace.upstream),
                                  .status = access.sent ? access.status : 0,
                                  .began = access.began_at,
                                  .read = trace.read_at,
                                  .queued = details.queued_at,
                                  .written = trace.written_at};
    if (trace.outcome == "reply")
        sample.matched = trace.ended_at;
    (access.sent ? sample.answered : sample.given_up) = access.ended_at;
    return sample;
}

template <class T>
void move_all(boost::circular_buffer<T>& kept, std::vector<T>& room)
{
    room.assign(std::move_iterator(kept.begin()), std::move_iterator(kept.end()));
    kept.clear();
}

} // namespace

void sampler::expect(std::string id) { expected_.push_back(std::move(id)); }

void sampler::forget(std::string_view id) { take_expected(id); }

void sampler::pass_on_to(http::access_recorder* log)
{
    if (log_ != nullptr)
        all_until_ = clock::now();
    log_ = log;
}

void sampler::take(admin::happenings& room)
{
    move_all(requests_, room.requests);
    move_all(wires_, room.wires);
    room.dropped = std::exchange(dropped_, 0);
}

// Without an access log, a request without an id stays without one: its answer is the same whether it is watched or
// not.
void sampler::make_id(std::string& id)
{
    if (log_ != nullptr)
        log_->make_id(id);
}

void sampler::record(const http::access& access, std::string_view peer)
{
    if (log_ != nullptr)
        log_->record(access, peer);
    const bool chosen = is_chosen(access);
    const bool is_expected = take_expected(access.id);
    if (!chosen && !is_expected)
        return;
    dropped_ += requests_.full() ? 1 : 0;
    requests_.push_back(sample_of(access));
    requests_.back().asked_here = is_expected;
}

void sampler::sweep()
{
    if (log_ != nullptr)
        log_->sweep();
    interval_ = std::max<std::size_t>(1, (seen_ + samples_between_sweeps - 1) / samples_between_sweeps);
    until_next_ = interval_;
    seen_ = samples_ = 0;
}

void sampler::note(upstream::wire_event what, std::string_view upstream, std::string_view detail)
{
    dropped_ += wires_.full() ? 1 : 0;
    wires_.push_back({clock::now(), what, std::string(upstream), std::string(detail)});
}

// One that began while all were recorded has not been chosen yet, but only watched.
bool sampler::is_chosen(const http::access& access)
{
    const bool was_chosen = !all_are_recorded() && access.began_at >= all_until_;
    return was_chosen || is_sampled();
}

bool sampler::take_expected(std::string_view id)
{
    const bool is_expected = std::erase(expected_, id) != 0;
    if (is_expected)
        all_until_ = clock::now();
    return is_expected;
}

bool sampler::take_sample() noexcept
{
    until_next_ = ++samples_ == samples_between_sweeps ? never : interval_;
    return true;
}

} // namespace causeway::service
