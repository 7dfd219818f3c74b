// The event loops at work, each on its own thread.
#pragma once

#include "service/event_loop.hpp"

#include <functional>
#include <list>
#include <thread>
#include <vector>

namespace causeway::service {

/// Runs each event loop on its own thread for as long as this object lives. Whatever ends its scope ends the loops too:
/// those that still run are cut.
class loop_threads {
public:
    /// `loops` outlive it. `loop_ended` is called when the `run` of a loop has returned, on that loop's thread. Throws
    /// `std::runtime_error` that says what to do about it, when too few threads can be created.
    loop_threads(std::list<event_loop>& loops, const std::function<void(const event_loop&)>& loop_ended);

    /// Waits until the last thread has ended.
    ~loop_threads();
    loop_threads(const loop_threads&) = delete;
    loop_threads& operator=(const loop_threads&) = delete;

private:
    explicit loop_threads(std::list<event_loop>& loops)
        : loops_(loops)
    {
    }

    void start(event_loop& loop, const std::function<void(const event_loop&)>& loop_ended);

    std::list<event_loop>& loops_;
    std::vector<std::jthread> threads_; // joined last
};

} // namespace causeway::service
