// What the live page is told, as Server-Sent Events.
#pragma once

#include "admin/happenings.hpp"
#include "admin/report.hpp"
#include "net/clock.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace causeway::admin {

/// One event. Its data are numbers, and texts that JSON escapes, so they stand in one line.
struct live_event {
    std::string_view name; ///< static memory
    boost::json::object data;
};

/// The media type of a stream of events, and an event as it stands there (HTML, 9.2.6).
inline constexpr std::string_view live_event_type = "text/event-stream";
std::string text_of(const live_event& event);

/// Makes events. All times in them are microseconds since one moment, all durations microseconds; what is not there is
/// not written. docs/operations.md has the format. A value; pure.
class live_event_writer {
public:
    /// `zero` is the moment.
    live_event_writer(facts facts, clock::time_point zero);

    /// What is to be known first.
    live_event hello(const report& report, clock::time_point now) const;

    /// The figures of the process.
    live_event state(const report& report, clock::time_point now) const;

    /// What has happened in the event loop of this number.
    live_event happened(const happenings& happenings, std::size_t loop) const;

private:
    std::int64_t micros(clock::time_point time) const;
    void add(boost::json::object& object, std::string_view name, clock::time_point time) const;
    void add_upstream(boost::json::object& object, const std::string& name) const;
    boost::json::object object_of(const sampled_request& request, std::size_t loop) const;
    boost::json::object object_of(const wire_happening& wire, std::size_t loop) const;

    facts facts_;
    clock::time_point zero_;
};

} // namespace causeway::admin
