// What a session is doing, and for how long it may do so.
#pragma once

#include <cstdint>

namespace causeway::http {

/// Where a session is in its cycle.
enum class phase {
    handshaking, ///< before the first request of a connection with TLS
    idle,        ///< between two requests
    reading,     ///< from the first byte of a request to its last
    answering,   ///< while the request waits for its outcome
    writing,     ///< while the client reads its answer
    closing,     ///< after the last answer
};

/// How many sweeps a session may stay in a phase. Sweeps come at a steady interval, so these are coarse times that cost
/// a request nothing: they need no clock reading and no timer.
struct sweep_limits {
    std::int64_t idle = 0;             ///< between requests
    std::int64_t reading = 0;          ///< from the first byte of a request to its last, or for a handshake
    std::int64_t reading_in_drain = 0; ///< the same, while the server drains
    std::int64_t answering = 0;        ///< before it is checked whether the client is gone
    std::int64_t writing = 0;          ///< while the client does not read its answer
};

/// What a sweep has to do about a session.
enum class due {
    nothing,
    close,           ///< it has been idle for long enough
    refuse,          ///< its request or its handshake takes too long
    look_for_client, ///< the answer takes a while; the client may be gone
    reset,           ///< its client does not read the answer
};

/// The phase of a session and the sweeps that it has spent in it. Pure.
class progress {
public:
    /// The current phase.
    phase current() const noexcept { return phase_; }

    /// Begins a phase, and counts its sweeps from 0.
    void enter(phase next) noexcept
    {
        phase_ = next;
        sweeps_ = 0;
    }

    /// True when the last request was answered so long ago that the client's next one is probably not on its way.
    bool has_settled() const noexcept { return phase_ == phase::idle && sweeps_ > settling; }

    /// Counts a sweep, and returns what to do about a phase that has lasted too long. While the server drains, an idle
    /// session is kept only until it has settled, and a request has `reading_in_drain` sweeps to arrive completely.
    due sweep(const sweep_limits& limits, bool draining) noexcept;

private:
    // The first sweep in a phase may come right after its beginning; only the second comes after a whole interval.
    static constexpr std::int64_t settling = 1;

    phase phase_ = phase::idle;
    std::int64_t sweeps_ = 0; // since the phase was entered
};

} // namespace causeway::http
