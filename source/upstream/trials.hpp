// Which event loop may try suspects, if several have connections to one backend.
#pragma once

#include "net/clock.hpp"

#include <chrono>
#include <cstddef>
#include <mutex>

namespace causeway::upstream {

/// A message that kills its backend takes down the connections of all event loops, so a suspect on another loop would
/// look guilty. That is why a suspect that can be found guilty is tried in quiet: while no other suspect is tried on
/// any loop. All other trials may run at the same time. Shared by all event loops: any thread may call any member. It
/// locks, which does not matter because only suspects get here.
class trials {
public:
    /// How long to wait before asking for a turn again.
    static constexpr std::chrono::nanoseconds look_again_after = std::chrono::milliseconds(10);

    class turn;

private:
    // A turn that waits for quiet asks again sooner, unless it has ended or has nothing left to try.
    static constexpr std::chrono::nanoseconds reserved_for = 5 * look_again_after;

    std::mutex mutex_;
    std::size_t running_ = 0;
    bool in_quiet_ = false;      // the one that runs
    const turn* next_ = nullptr; // waits for quiet: until it has begun, no other trial begins
    clock::time_point next_until_;
};

/// The turn of one connection, which takes it anew for each trial and has it at most once at a time. The destructor
/// gives it back. Belongs to one event loop; `trials` outlives it.
class trials::turn {
public:
    /// Has no turn yet.
    explicit turn(trials& all)
        : all_(all)
    {
    }

    ~turn() { give_back(); }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;

    /// Whether a trial may begin now. If not, one in quiet is the next to begin, when it asks again soon.
    bool take(bool in_quiet, clock::time_point now)
    {
        const std::scoped_lock lock(all_.mutex_);
        if (all_.next_ != nullptr && all_.next_ != this && now < all_.next_until_)
            return false;
        if (all_.in_quiet_ || (in_quiet && all_.running_ != 0)) {
            all_.next_ = in_quiet ? this : nullptr;
            all_.next_until_ = now + reserved_for;
            return false;
        }
        all_.next_ = nullptr;
        all_.in_quiet_ = in_quiet;
        ++all_.running_;
        return has_it_ = true;
    }

    /// The trial has ended.
    void give_back()
    {
        if (!has_it_)
            return;
        const std::scoped_lock lock(all_.mutex_);
        has_it_ = all_.in_quiet_ = false; // while a trial in quiet runs, there is no other
        --all_.running_;
    }

private:
    trials& all_;
    bool has_it_ = false;
};

} // namespace causeway::upstream
