// A count with an upper bound: requests waiting, connections open.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace causeway::net {

/// Hands out at most `bound` places. It is the only thing that event loops share on a request's path: the bound applies
/// to the whole process, so the loops count together, in one atomic number and without a lock. Any thread may call any
/// member; the limit must outlive every place that it handed out.
class limit {
public:
    /// Has `bound` places.
    explicit limit(std::size_t bound) noexcept
        : bound_(bound)
    {
    }

    /// One place, returned when this object is destroyed. Empty (false) when none was left.
    class place {
    public:
        place() = default;
        /// A place of `owner`, which counts it already, or none.
        explicit place(limit* owner) noexcept
            : owner_(owner)
        {
        }
        /// Takes the place over.
        place(place&& other) noexcept
            : owner_(std::exchange(other.owner_, nullptr))
        {
        }
        /// Swaps the two.
        place& operator=(place&& other) noexcept
        {
            std::swap(owner_, other.owner_);
            return *this;
        }
        ~place()
        {
            if (owner_ != nullptr)
                owner_->taken_.fetch_sub(1, std::memory_order_relaxed);
        }

        explicit operator bool() const noexcept { return owner_ != nullptr; } ///< whether there is a place

    private:
        limit* owner_ = nullptr;
    };

    /// Takes a place if fewer than `bound` are taken. A failed attempt never occupies a place, not even for a moment.
    [[nodiscard]] place try_take() noexcept
    {
        auto taken = taken_.load(std::memory_order_relaxed);
        do {
            if (taken >= bound_.load(std::memory_order_relaxed))
                return {};
        } while (!taken_.compare_exchange_weak(taken, taken + 1, std::memory_order_relaxed));
        return place(this);
    }

    /// From now on at most `bound` places are handed out. Places that are taken stay taken, even beyond it.
    void set_bound(std::size_t bound) noexcept { bound_.store(bound, std::memory_order_relaxed); }

    /// How many are taken, for the metrics and for tests.
    std::size_t taken() const noexcept { return taken_.load(std::memory_order_relaxed); }

    /// How many there are.
    std::size_t bound() const noexcept { return bound_; }

private:
    std::atomic<std::size_t> bound_;
    std::atomic<std::size_t> taken_{0};
};

} // namespace causeway::net
