// What has happened on upstream connections.
#pragma once

#include <cstdint>

namespace causeway::upstream {

/// Counts since the start. Written and read on the event loop's thread, or after that thread has ended.
struct statistics {
    std::uint64_t replies = 0;    ///< lines that named a code
    std::uint64_t dropped = 0;    ///< of these, the ones for which nobody waited: late, repeated, unasked
    std::uint64_t unreadable = 0; ///< lines in which no code was found, and lines that were too long
    std::uint64_t rewritten = 0;  ///< requests written again because their connection was lost
    std::uint64_t connects = 0;   ///< connections made
    std::uint64_t timed_out = 0;  ///< requests that got no reply in time
    std::uint64_t abandoned = 0;  ///< requests whose client went away first

    statistics& operator+=(const statistics& other) noexcept
    {
        replies += other.replies;
        dropped += other.dropped;
        unreadable += other.unreadable;
        rewritten += other.rewritten;
        connects += other.connects;
        timed_out += other.timed_out;
        abandoned += other.abandoned;
        return *this;
    }
};

} // namespace causeway::upstream
