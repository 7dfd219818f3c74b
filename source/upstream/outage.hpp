// Which events of an upstream that goes down and comes back are worth a line in the log.
#pragma once

#include "net/clock.hpp"

#include <chrono>
#include <utility>

namespace causeway::upstream {

/// The events of one upstream. Each event loop has its own connection to it, so all of them notice an outage, and each
/// attempt to connect shows it again; only a change is news. A flapping upstream gets no more than `most_lines` in
/// `window`, the last of which says so. If it then stays down, the first attempt after the window is news again. Pure:
/// the time of each event is a parameter.
class outage {
public:
    static constexpr std::chrono::nanoseconds window = std::chrono::seconds(10); ///< see above
    static constexpr unsigned most_lines = 10;                                   ///< see above

    /// What has happened.
    enum class event {
        nothing,     ///< before the first
        connected,   ///< a connection works
        lost,        ///< one that worked was lost
        unreachable, ///< an attempt to connect failed, or led to a connection that did not work
    };

    /// What to write into the log.
    enum class line {
        none,
        of_the_event,
        of_flapping, ///< further events will not be written until the window has passed
    };

    /// Notes an event.
    line note(event now, clock::time_point time) noexcept
    {
        const bool is_new_window = lines_ == 0 || time - window_began_ >= window;
        const bool is_news = std::exchange(last_, now) != now || is_hidden_;
        if (!is_news)
            return line::none;
        if (is_new_window) {
            window_began_ = time;
            lines_ = 0;
        }
        ++lines_;
        is_hidden_ = lines_ >= most_lines;
        if (!is_hidden_)
            return line::of_the_event;
        return lines_ == most_lines ? line::of_flapping : line::none;
    }

private:
    event last_ = event::nothing;
    bool is_hidden_ = false; // the last event, because there were too many
    clock::time_point window_began_;
    unsigned lines_ = 0; // in the window, or events without one
};

} // namespace causeway::upstream
