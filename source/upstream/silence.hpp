// What to do about an upstream that says nothing: ask it for a sign of life, or give it up.
#pragma once

#include "net/clock.hpp"

#include <chrono>
#include <optional>
#include <utility>

namespace causeway::upstream {

/// Judges one connection by its silence. A peer that is frozen, or has vanished, closes nothing. Its sign is that it
/// owes an answer and nothing intelligible has been received for the whole of a certain patience since. But it may
/// merely have left one message without a reply, while the replies to later ones are still due; so it is asked for a
/// sign of life halfway. Pure: the time of each event is a parameter.
class silence {
public:
    /// What to do now.
    enum class due {
        nothing,
        heartbeat, ///< ask for a sign of life
        end,       ///< give the connection up
    };

    /// The connection is new. A heartbeat is due after `heartbeat_after` without traffic, and halfway; never if that is
    /// zero.
    silence(clock::time_point now, std::chrono::nanoseconds patience, std::chrono::nanoseconds heartbeat_after) noexcept
        : patience_(patience)
        , heartbeat_after_(heartbeat_after)
        , last_traffic_(now)
    {
    }

    /// Bytes were written or read.
    void had_traffic(clock::time_point now) noexcept { last_traffic_ = now; }

    /// Something was written to which the peer owes an answer.
    void asked(clock::time_point now) noexcept
    {
        last_traffic_ = now;
        if (!since_)
            since_ = now;
    }

    /// Something intelligible was received.
    void heard() noexcept
    {
        since_.reset();
        asked_for_a_sign_of_life_ = false;
    }

    /// To be called several times within `patience`. A peer that was asked under another patience has the whole of the
    /// new one, and is asked for a sign of life within it: a slow host is not dead because the settings have changed.
    due check(clock::time_point now, std::chrono::nanoseconds patience) noexcept
    {
        if (std::exchange(patience_, patience) != patience) {
            if (since_)
                since_ = now;
            asked_for_a_sign_of_life_ = false;
        }
        if (since_ && now - *since_ >= patience_)
            return due::end;
        if (heartbeat_after_ == std::chrono::nanoseconds::zero())
            return due::nothing;
        const bool was_halfway = is_halfway(now);
        return was_halfway || now - last_traffic_ >= heartbeat_after_ ? due::heartbeat : due::nothing;
    }

private:
    // Once.
    bool is_halfway(clock::time_point now) noexcept
    {
        const bool is_halfway = since_ && now - *since_ >= patience_ / 2 && !asked_for_a_sign_of_life_;
        asked_for_a_sign_of_life_ |= is_halfway;
        return is_halfway;
    }

    std::chrono::nanoseconds patience_;
    std::chrono::nanoseconds heartbeat_after_;
    clock::time_point last_traffic_;
    std::optional<clock::time_point> since_; // when an answer became due, and nothing intelligible was received since
    bool asked_for_a_sign_of_life_ = false;  // since then
};

} // namespace causeway::upstream
