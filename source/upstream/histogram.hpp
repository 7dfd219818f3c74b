// How long things took, counted in buckets.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace causeway::upstream {

/// Counts durations in buckets. The upper bounds of the buckets are the usual steps 1, 2.5 and 5 of each power of ten,
/// from `shortest` up to `longest`, as far as they are below a timeout; then the timeout itself, to separate what was
/// in time from what was not; then a quarter more, for timeouts that were noticed late. Anything longer counts into the
/// last bucket, which has no bound. A value.
class histogram {
public:
    using duration = std::chrono::nanoseconds;                           ///< what is counted
    static constexpr duration shortest = std::chrono::microseconds(100); ///< the lowest bound
    static constexpr duration longest = std::chrono::seconds(100);       ///< the highest bound
    static constexpr std::size_t most_bounds = 24;                       ///< whatever the timeout

    histogram() = default;
    /// With the bounds for this timeout.
    explicit histogram(duration timeout) noexcept
    {
        for (auto power = shortest; power <= longest; power *= 10)
            for (const auto step : {power, power * 5 / 2, power * 5})
                if (step < timeout && step <= longest)
                    bounds_[size_++] = step;
        bounds_[size_++] = timeout;
        bounds_[size_++] = timeout + timeout / 4;
        for (std::size_t bits = 1; bits != first_.size() - 1; ++bits)
            while (first_[bits] != size_ && bounds_[first_[bits]] < duration(std::int64_t{1} << (bits - 1)))
                ++first_[bits];
    }

    /// Counts one.
    void add(duration took) noexcept
    {
        std::size_t bucket = first_[static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(took.count())))];
        while (bucket != size_ && bounds_[bucket] < took) // at most a few steps, because bounds lie a factor 2 apart
            ++bucket;
        ++counts_[bucket];
        sum_ += took;
    }

    /// How many buckets have a bound, and the bound of each: a duration counts into the first whose bound is not below
    /// it. One more bucket follows, without a bound.
    std::size_t size() const noexcept { return size_; }
    duration bound(std::size_t bucket) const noexcept { return bounds_[bucket]; } ///< of one with a bound
    std::uint64_t count(std::size_t bucket) const noexcept
    {
        return counts_[bucket];
    } ///< of one bucket, not cumulative

    /// All of them together.
    duration sum() const noexcept { return sum_; }

    /// Adds what another with the same bounds has counted. One without any takes over the other's.
    histogram& operator+=(const histogram& other) noexcept
    {
        bounds_ = other.bounds_;
        size_ = other.size_;
        std::ranges::transform(counts_, other.counts_, counts_.begin(), std::plus<>());
        sum_ += other.sum_;
        return *this;
    }

private:
    std::array<duration, most_bounds> bounds_{};
    std::array<std::uint8_t, 65> first_{}; // the bucket of the shortest duration that takes so many bits
    std::array<std::uint64_t, most_bounds + 1> counts_{};
    std::size_t size_ = 0; // of the bounds
    duration sum_{};
};

} // namespace causeway::upstream
