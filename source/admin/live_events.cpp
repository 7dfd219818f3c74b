#include "admin/live_events.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace causeway::admin {
namespace {

namespace json = boost::json;

std::int64_t in_micros(std::chrono::nanoseconds duration)
{
    return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

std::string_view name_of(upstream::wire_event what)
{
    switch (what) {
    case upstream::wire_event::connected:
        return "connected";
    case upstream::wire_event::lost:
        return "lost";
    case upstream::wire_event::late_reply:
        return "late reply";
    }
    return {};
}

void add_text(json::object& object, std::string_view name, std::string_view text)
{
    if (!text.empty())
        object[name] = text;
}

// Each bucket's upper bound and how many have fallen into it; the last bucket has no bound.
json::array buckets_of(const upstream::histogram& durations)
{
    json::array buckets;
    for (std::size_t i = 0; i != durations.size(); ++i)
        buckets.push_back(json::array{in_micros(durations.bound(i)), durations.count(i)});
    buckets.push_back(json::array{nullptr, durations.count(durations.size())});
    return buckets;
}

json::object answers_of(const http::statistics& counts)
{
    json::object by_status;
    for (std::size_t status = 0; status != counts.responses.size(); ++status)
        if (counts.responses[status] != 0)
            by_status[fmt::to_string(status)] = counts.responses[status];
    return by_status;
}

json::object outcomes_of(const upstream::request_counts& counts)
{
    json::object by_outcome;
    for (const auto& [outcome, count] : counts.by_outcome())
        by_outcome.emplace(outcome, count);
    return by_outcome;
}

json::object replies_of(const std::vector<upstream::upstream_figures>& upstreams)
{
    upstream::connection_counts sum;
    for (const auto& upstream : upstreams)
        sum += upstream.counts;
    return {{"matched", sum.replies - sum.dropped}, {"late", sum.dropped}, {"unreadable", sum.unreadable}};
}

json::array upstreams_of(const report& report)
{
    json::array all;
    for (const auto& upstream : report.sum.upstream.upstreams)
        all.push_back(json::object{
            {"connections", report.loops}, {"connected", upstream.up}, {"in_flight", upstream.on_the_wire}});
    return all;
}

} // namespace

std::string text_of(const live_event& event)
{
    return fmt::format("event: {}\ndata: {}\n\n", event.name, json::serialize(event.data));
}

live_event_writer::live_event_writer(facts facts, clock::time_point zero)
    : facts_(std::move(facts))
    , zero_(zero)
{
}

live_event live_event_writer::hello(const report& report, clock::time_point now) const
{
    return {"hello",
            {{"version", facts_.version},
             {"protocol", facts_.protocol},
             {"loops", report.loops},
             {"window", report.upstream_window},
             {"reply_timeout", in_micros(report.reply_timeout)},
             {"coalesce", facts_.coalesces},
             {"upstreams", json::array(facts_.upstreams.begin(), facts_.upstreams.end())},
             {"can_ask", facts_.can_be_asked},
             {"now", micros(now)}}};
}

live_event live_event_writer::state(const report& report, clock::time_point now) const
{
    const auto& upstream = report.sum.upstream;
    return {"state",
            {{"now", micros(now)},
             {"sessions", report.connections},
             {"waiting", upstream.waiting.all()},
             {"backlog", upstream.waiting.backlog + upstream.waiting.suspects},
             {"waiting_limit", report.waiting_limit},
             {"draining", report.draining},
             {"upstreams", upstreams_of(report)},
             {"answers", answers_of(report.sum.http)},
             {"outcomes", outcomes_of(upstream.requests)},
             {"replies", replies_of(upstream.upstreams)},
             {"latency", buckets_of(upstream.request_durations)}}};
}

live_event live_event_writer::happened(const happenings& happenings, std::size_t loop) const
{
    json::array requests;
    for (const auto& request : happenings.requests)
        requests.push_back(object_of(request, loop));
    json::array wires;
    for (const auto& wire : happenings.wires)
        wires.push_back(object_of(wire, loop));
    return {"happened",
            {{"dropped", happenings.dropped}, {"requests", std::move(requests)}, {"wires", std::move(wires)}}};
}

json::object live_event_writer::object_of(const sampled_request& request, std::size_t loop) const
{
    json::object object{{"loop", loop}, {"session", request.session}};
    add_text(object, "id", request.id);
    add_text(object, "key", request.key);
    add_upstream(object, request.upstream);
    add(object, "began", request.began);
    add(object, "read", request.read);
    add(object, "queued", request.queued);
    add(object, "written", request.written);
    add(object, "matched", request.matched);
    add(object, "answered", request.answered);
    add(object, "given_up", request.given_up);
    if (request.status != 0)
        object["status"] = request.status;
    add_text(object, "outcome", request.outcome);
    if (request.asked_here)
        object["asked_here"] = true;
    return object;
}

json::object live_event_writer::object_of(const wire_happening& wire, std::size_t loop) const
{
    json::object object{{"loop", loop}};
    add(object, "at", wire.at);
    add_upstream(object, wire.upstream);
    object["what"] = name_of(wire.what);
    add_text(object, wire.what == upstream::wire_event::late_reply ? "key" : "reason", wire.detail);
    return object;
}

std::int64_t live_event_writer::micros(clock::time_point time) const { return in_micros(time - zero_); }

void live_event_writer::add(json::object& object, std::string_view name, clock::time_point time) const
{
    if (time != clock::time_point())
        object[name] = micros(time);
}

// By its place in the settings; of several with one name, the first.
void live_event_writer::add_upstream(json::object& object, const std::string& name) const
{
    const auto found = std::ranges::find(facts_.upstreams, name);
    if (found != facts_.upstreams.end())
        object["upstream"] = found - facts_.upstreams.begin();
}

} // namespace causeway::admin
