// Whose turn it is to try suspects, where several event loops have connections to one backend.
#pragma once

#include "net/clock.hpp"

#include <chrono>
#include <cstddef>
#include <mutex>

namespace causeway::upstream {

/// A message that kills its backend takes the connections of all event loops down, and so a suspect on another loop
/// would look guilty. That is why a suspect that can be found guilty is tried in quiet: while no other is tried on any
/// loop. All other trials may run at the same time.
/// Shared by all event loops: any thread may call any member. It locks, which is no matter: no request comes here that
/// is not a suspect.
class trials {
public:
    /// How long to wait before one asks for a turn again.
    static constexpr std::chrono::nanoseconds look_again_after = std::chrono::milliseconds(10);

    class turn;

private:
    // Who waits for quiet asks again sooner, unless it has ended or has nothing to try any more.
    static constexpr std::chrono::nanoseconds reserved_for = 5 * look_again_after;

    std::mutex mutex_;
    std::size_t running_ = 0;
    bool in_quiet_ = false;      // the one that runs
    const turn* next_ = nullptr; // waits for quiet: until then no other begins
    clock::time_point next_until_;
};

/// The turn of one connection, which takes it again for each trial and has it at most once at a time. Destroying it
/// gives it back. Belongs to one event loop; `trials` outlives it.
class trials::turn {
public:
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
        has_it_ = all_.in_quiet_ = false; // while one in quiet runs there is no other
        --all_.running_;
    }

private:
    trials& all_;
    bool has_it_ = false;
};

} // namespace causeway::upstream
