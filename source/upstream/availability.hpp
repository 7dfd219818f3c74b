// Whether an upstream can be reached, and since when not.
#pragma once

#include "net/clock.hpp"

#include <chrono>
#include <optional>

namespace causeway::upstream {

/// Judges one upstream by its connections. A proxy with nobody behind it accepts a connection and hangs up; so a
/// connection counts as one that works when it has brought something, or has lasted for `settling_time`. Pure: the time
/// of each event is told.
class availability {
public:
    using time_point = clock::time_point;
    static constexpr std::chrono::nanoseconds settling_time = std::chrono::milliseconds(50);

    /// Down since `now`, and given the first try: its first connection works until it shows otherwise.
    explicit availability(time_point now) noexcept
        : down_since_(now)
    {
    }

    /// There is a connection, which may carry questions.
    void connected(time_point now) noexcept { connected_since_ = now; }

    /// The connection is gone; `brought_something` says whether anything sensible came on it.
    void disconnected(time_point now, bool brought_something) noexcept
    {
        works_ = brought_something || (connected_since_ && now - *connected_since_ >= settling_time);
        connected_since_.reset();
        if (works_)
            down_since_ = now;
    }

    /// Whether the last connection that ended had worked.
    bool worked() const noexcept { return works_; }

    /// How long there has been no connection that works; zero while there is one.
    std::chrono::nanoseconds down_for(time_point now) const noexcept
    {
        const bool up = connected_since_ && (works_ || now - *connected_since_ >= settling_time);
        return up ? std::chrono::nanoseconds::zero() : now - down_since_;
    }

    /// How long ago the last connection that worked was lost, or the upstream was first tried.
    std::chrono::nanoseconds since_last_worked(time_point now) const noexcept { return now - down_since_; }

private:
    std::optional<time_point> connected_since_; // while there is a connection
    time_point down_since_;                     // without one that worked
    bool works_ = true;                         // as far as the last connection has shown
};

} // namespace causeway::upstream
