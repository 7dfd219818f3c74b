// The clock that everything here goes by.
#pragma once

#include <chrono>

namespace causeway {

/// The steady clock of the system. It is a type of its own, with `now` in a file of its own, so that a program of tests
/// can bring another `now` and say how time passes. Any thread.
struct clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<clock>;
    static constexpr bool is_steady = true;

    static time_point now() noexcept;
};

} // namespace causeway
