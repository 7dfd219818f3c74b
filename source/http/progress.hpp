// What a session is doing, and for how long it may.
#pragma once

#include <cstdint>

namespace causeway::http {

/// Where a session is in its round.
enum class phase {
    handshaking, ///< before the first request of a connection with TLS
    idle,        ///< between two requests
    reading,     ///< from the first byte of a request to its last
    answering,   ///< while the answer is waited for
    writing,     ///< while the client takes its answer
    closing,     ///< behind the last answer
};

/// How many sweeps a session may stay in a phase. A sweep comes at a steady interval, so these are coarse times that
/// cost a request nothing: no clock is read and no timer is set for them.
struct sweep_limits {
    std::int64_t idle = 0;             ///< between requests
    std::int64_t reading = 0;          ///< from the first byte of a request to its last, or to be done with a handshake
    std::int64_t reading_in_drain = 0; ///< the same, while the server drains
    std::int64_t writing = 0;          ///< while the client does not read its answer
};

/// What a sweep finds to be done about a session.
enum class due {
    nothing,
    close,           ///< it has been idle for long enough
    refuse,          ///< its request, or its handshake, does not come to its end
    look_for_client, ///< the answer takes a while; who wanted it may be gone
    reset,           ///< its client does not take the answer
};

/// The phase of a session and the sweeps that it has spent in it. Pure.
class progress {
public:
    phase current() const noexcept { return phase_; }

    void enter(phase next) noexcept
    {
        phase_ = next;
        sweeps_ = 0;
    }

    /// True when the last request was answered so long ago that its client's next one is not on its way, as far as
    /// one can tell.
    bool has_settled() const noexcept { return phase_ == phase::idle && sweeps_ > settling; }

    /// Counts a sweep, and tells what has lasted too long. While the server drains, an idle session is kept only until
    /// it has settled, and a request has `reading_in_drain` sweeps to come to its end.
    due sweep(const sweep_limits& limits, bool draining) noexcept;

private:
    // The first sweep in a phase may come at once after it began, and only the second after a whole interval.
    static constexpr std::int64_t settling = 1;

    phase phase_ = phase::idle;
    std::int64_t sweeps_ = 0; // since the phase was entered
};

} // namespace causeway::http
