// The clock that all of Causeway uses.
#pragma once

#include <chrono>

namespace causeway {

/// The steady clock of the system. It is a separate type, with `now` in its own file, so that a test program can link
/// another `now` and control time. Any thread.
struct clock {
    /// What the standard requires of a clock.
    /// @{
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<clock>;
    static constexpr bool is_steady = true;

    static time_point now() noexcept;
    /// @}
};

} // namespace causeway
