// How long to wait before the next connection attempt.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace causeway::upstream {

/// Pauses that grow: each is drawn uniformly from zero to a ceiling ("full jitter"), so that the clients of a server
/// that comes back do not all arrive at the same instant; the ceiling starts at `first_ceiling` and doubles up to
/// `longest`.
///
///     backoff backoff(3s);
///     backoff.next(random); // 0 to 50 ms
///     backoff.next(random); // 0 to 100 ms
///     backoff.reset();      // it worked
///     backoff.next(random); // 0 to 50 ms
class backoff {
public:
    using duration = std::chrono::nanoseconds;                               ///< of a pause
    static constexpr duration first_ceiling = std::chrono::milliseconds(50); ///< see above

    /// No pause is longer than `longest`.
    explicit backoff(duration longest) noexcept
        : longest_(longest)
    {
    }

    /// The pause before the next attempt, drawn with `random`.
    template <class Random>
    duration next(Random& random)
    {
        const auto ceiling = std::min(ceiling_, longest_);
        ceiling_ = std::min(ceiling * 2, longest_);
        return duration(std::uniform_int_distribution<duration::rep>(0, ceiling.count())(random));
    }

    /// The next pause is one of the shortest again.
    void reset() noexcept { ceiling_ = first_ceiling; }

private:
    duration longest_;
    duration ceiling_ = first_ceiling;
};

} // namespace causeway::upstream
