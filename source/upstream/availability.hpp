// Whether an upstream can be reached, and if not, since when.
#pragma once

#include "net/clock.hpp"

#include <chrono>
#include <optional>

namespace causeway::upstream {

/// What became of the questions on a connection.
enum class questions {
    none,         ///< there were none
    unanswered,   ///< there were some, and no reply
    answered,     ///< there was a reply
    only_a_probe, ///< the probe was the only one, and was answered like any other, because keys are shared
};

/// Judges one upstream by its connections. A proxy without a backend accepts a connection and hangs up, at once or
/// after a while; so a connection counts as working when something was received on it, or when it has lasted for
/// `settling_time`, until it is asked something and does not answer. But a host may answer the greeting and then hang
/// up, each time; so how the next connection is made depends on whether this one brought a reply to a question, or has
/// lasted for `lasting_time`, and how it is used on whether a question was lost since the last reply. Pure: the time of
/// each event is a parameter.
class availability {
public:
    using time_point = clock::time_point;                                                    ///< of all events
    static constexpr std::chrono::nanoseconds settling_time = std::chrono::milliseconds(50); ///< see above
    static constexpr std::chrono::nanoseconds lasting_time = std::chrono::seconds(3);        ///< see above

    /// Down since `now`, with the benefit of the doubt: its first connection counts as working until it shows
    /// otherwise.
    explicit availability(time_point now) noexcept
        : down_since_(now)
    {
    }

    /// There is a connection that takes questions. If the last one did not work, this one has to show that it does: by
    /// answering, if it is asked at once, otherwise by lasting.
    void connected(time_point now, bool asked_at_once) noexcept
    {
        connected_since_ = now;
        asked_at_once_ = asked_at_once;
        spoke_ = false;
    }

    /// Something was received on the connection.
    void spoke() noexcept { spoke_ = true; }

    /// The connection is gone; `asked_at` is when something was first written to it, if anything was. True when it had
    /// worked, if only until it was asked: the upstream is down since then.
    bool disconnected(time_point now, std::optional<time_point> asked_at, questions its_questions) noexcept
    {
        const auto in_doubt_since = spoke_ ? now : asked_at.value_or(now);
        const auto lasted = in_doubt_since - connected_since_.value_or(in_doubt_since);
        const bool had_worked = connected_since_ && (spoke_ || lasted >= settling_time);
        only_probed_ = its_questions == questions::only_a_probe;
        const bool replied = only_probed_ || its_questions == questions::answered;
        const bool left_something_unanswered = its_questions == questions::unanswered || (asked_at && !spoke_);
        was_of_use_ = replied || lasted >= lasting_time;
        if (was_of_use_)
            of_use_until_ = now;
        if (replied)
            worked_ = true;
        else if (left_something_unanswered || lasted < settling_time)
            worked_ = false;
        connected_since_.reset();
        if (had_worked)
            down_since_ = in_doubt_since;
        return had_worked;
    }

    /// False from a connection that left something unanswered, or was hung up at once, until one brings a reply to a
    /// question. Each new connection has to show that it works, meanwhile.
    bool worked() const noexcept { return worked_; }

    /// Whether the last connection that ended had brought a reply to a question, or had lasted until it was asked. Then
    /// the next one may follow at once.
    bool was_of_use() const noexcept { return was_of_use_; }

    /// Whether such a connection ended less than `period` ago.
    bool was_of_use_within(std::chrono::nanoseconds period, time_point now) const noexcept
    {
        return of_use_until_ && now - *of_use_until_ < period;
    }

    /// Whether the last connection that ended had answered its probe, and was asked nothing else. An upstream that
    /// closes each connection after one reply would get nothing except probes if the next one began with a probe, too.
    bool only_probed() const noexcept { return only_probed_; }

    /// How long there has been no working connection; zero while there is one.
    std::chrono::nanoseconds down_for(time_point now) const noexcept
    {
        const bool lasts = connected_since_ && !asked_at_once_ && now - *connected_since_ >= settling_time;
        const bool up = connected_since_ && (worked_ || spoke_ || lasts);
        return up ? std::chrono::nanoseconds::zero() : now - down_since_;
    }

    /// How long ago the last working connection was lost, or the upstream was first tried.
    std::chrono::nanoseconds since_last_worked(time_point now) const noexcept { return now - down_since_; }

private:
    std::optional<time_point> connected_since_; // while there is a connection
    time_point down_since_;                     // without a working one
    bool asked_at_once_ = false;
    bool spoke_ = false;
    bool worked_ = true; // as far as connections have shown
    bool was_of_use_ = true;
    std::optional<time_point> of_use_until_;
    bool only_probed_ = false;
};

} // namespace causeway::upstream
