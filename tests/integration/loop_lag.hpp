// What an event loop's own delays were, so that a test can tell them from a delay in the code under test.
#pragma once

#include "net/asio.hpp"

#include <chrono>
#include <vector>

namespace causeway::test {

/// Measures how long what is ready on a loop waits for its turn, because the machine is busy or the loop is: a timer
/// ticks, and is late when the loop is. Belongs to the loop's thread.
class loop_lag {
public:
    explicit loop_lag(const executor_type& executor);

    /// Measures until `stop`; to be spawned on the loop.
    awaitable<> run();
    void stop();

    /// The longest that anything had to wait for its turn of the loop from `begin` until now; at least one tick,
    /// because a shorter wait goes unnoticed.
    std::chrono::nanoseconds worst_since(clock::time_point begin) const;

private:
    struct tick {
        clock::time_point at;
        clock::duration late;
    };

    steady_timer timer_;
    std::vector<tick> ticks_;
    bool stopped_ = false;
};

} // namespace causeway::test
