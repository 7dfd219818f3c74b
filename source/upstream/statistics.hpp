// What has happened on upstream connections.
#pragma once

#include <cstdint>

namespace causeway::upstream {

/// Counts since the start. Written and read on the event loop's thread, or after that thread has ended.
struct statistics {
    std::uint64_t replies = 0;     ///< messages with a key
    std::uint64_t dropped = 0;     ///< of these, the ones for which nobody waited: late, repeated, unsolicited
    std::uint64_t unreadable = 0;  ///< messages without a sense, and streams that could not be read any further
    std::uint64_t unfinished = 0;  ///< looks at a connection that found a message without an end, and nothing new
    std::uint64_t rewritten = 0;   ///< requests written again because their connection was lost
    std::uint64_t connects = 0;    ///< connections made
    std::uint64_t timed_out = 0;   ///< requests that got no reply in time
    std::uint64_t abandoned = 0;   ///< requests whose client went away first
    std::uint64_t unavailable = 0; ///< requests refused because no upstream could be reached
    std::uint64_t overloaded = 0;  ///< requests refused because too many waited
    std::uint64_t lost = 0;        ///< requests given up with their connection
    std::uint64_t duplicates = 0;  ///< requests refused because their key was taken

    statistics& operator+=(const statistics& other) noexcept
    {
        replies += other.replies;
        dropped += other.dropped;
        unreadable += other.unreadable;
        unfinished += other.unfinished;
        rewritten += other.rewritten;
        connects += other.connects;
        timed_out += other.timed_out;
        abandoned += other.abandoned;
        unavailable += other.unavailable;
        overloaded += other.overloaded;
        lost += other.lost;
        duplicates += other.duplicates;
        return *this;
    }
};

} // namespace causeway::upstream
