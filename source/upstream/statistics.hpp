// What has happened to requests and on upstream connections, and what waits.
#pragma once

#include "upstream/histogram.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace causeway::upstream {

/// What has become of requests, since the start. Each received request has one of the outcomes, or waits.
struct request_counts {
    std::uint64_t received = 0;    ///< all of them
    std::uint64_t replied = 0;     ///< with a reply
    std::uint64_t timed_out = 0;   ///< no reply in time
    std::uint64_t abandoned = 0;   ///< their client disconnected first
    std::uint64_t unavailable = 0; ///< refused because no upstream could be reached
    std::uint64_t overloaded = 0;  ///< refused because too many waited
    std::uint64_t lost = 0;        ///< given up with their connection
    std::uint64_t duplicates = 0;  ///< refused because their key was in use
    std::uint64_t stopped = 0;     ///< given up because the pool was stopped

    /// Those with an outcome, by the word that metrics and the live page have for it.
    std::array<std::pair<std::string_view, std::uint64_t>, 8> by_outcome() const noexcept
    {
        return {{{"reply", replied},
                 {"timed_out", timed_out},
                 {"abandoned", abandoned},
                 {"unavailable", unavailable},
                 {"overloaded", overloaded},
                 {"connection_lost", lost},
                 {"duplicate", duplicates},
                 {"stopped", stopped}}};
    }

    /// Those with an outcome; the others wait.
    std::uint64_t ended() const noexcept
    {
        std::uint64_t sum = 0;
        for (const auto& [outcome, count] : by_outcome())
            sum += count;
        return sum;
    }

    /// Adds another loop's.
    request_counts& operator+=(const request_counts& other) noexcept
    {
        received += other.received;
        replied += other.replied;
        timed_out += other.timed_out;
        abandoned += other.abandoned;
        unavailable += other.unavailable;
        overloaded += other.overloaded;
        lost += other.lost;
        duplicates += other.duplicates;
        stopped += other.stopped;
        return *this;
    }
};

/// Why a connection ended.
enum class disconnect : std::size_t {
    closed,   ///< properly, by the upstream
    failed,   ///< reset, or the network gave up
    silent,   ///< the upstream owed a reply and sent nothing intelligible for too long
    protocol, ///< the upstream broke the protocol, so that nothing more could be read
    stopped,  ///< by this side, to stop
};

/// The names of the reasons, by their numbers.
constexpr auto disconnect_names =
    std::to_array<std::string_view>({"closed", "failed", "silent", "protocol", "stopped"});

/// What has happened on the connections to one upstream, since the start.
struct connection_counts {
    std::uint64_t replies = 0;          ///< messages with a key
    std::uint64_t dropped = 0;          ///< of these, the ones for which no request waited: late, repeated, unsolicited
    std::uint64_t unreadable = 0;       ///< unintelligible messages, and streams that could not be read any further
    std::uint64_t unfinished = 0;       ///< checks of a connection that found an incomplete message, and nothing new
    std::uint64_t rewritten = 0;        ///< requests written again because their connection was lost, or recalled
    std::uint64_t connects = 0;         ///< connections that took questions
    std::uint64_t connect_failures = 0; ///< attempts that did not get that far
    std::array<std::uint64_t, disconnect_names.size()> disconnects{}; ///< of those that took questions, by reason

    /// Adds another link's.
    connection_counts& operator+=(const connection_counts& other) noexcept
    {
        replies += other.replies;
        dropped += other.dropped;
        unreadable += other.unreadable;
        unfinished += other.unfinished;
        rewritten += other.rewritten;
        connects += other.connects;
        connect_failures += other.connect_failures;
        std::ranges::transform(disconnects, other.disconnects, disconnects.begin(), std::plus<>());
        return *this;
    }
};

/// Both, over all upstreams.
struct statistics : request_counts, connection_counts {
    /// Adds another pool's.
    statistics& operator+=(const statistics& other) noexcept
    {
        request_counts::operator+=(other);
        connection_counts::operator+=(other);
        return *this;
    }
};

/// Waiting requests, by where they wait.
struct waiting_requests {
    std::size_t backlog = 0;  ///< for a place on a connection
    std::size_t suspects = 0; ///< for a trial: their messages may have killed an upstream
    std::size_t outbox = 0;   ///< to be written
    std::size_t wire = 0;     ///< for the reply
    std::size_t shared = 0;   ///< relying on another's message; also, for a moment, those whose reply has arrived

    std::size_t all() const noexcept { return backlog + suspects + outbox + wire + shared; } ///< wherever they wait

    /// Adds another loop's.
    waiting_requests& operator+=(const waiting_requests& other) noexcept
    {
        backlog += other.backlog;
        suspects += other.suspects;
        outbox += other.outbox;
        wire += other.wire;
        shared += other.shared;
        return *this;
    }
};

/// One upstream as a pool sees it.
struct upstream_figures {
    connection_counts counts;    ///< of its connections
    std::size_t up = 0;          ///< working connections
    std::size_t on_the_wire = 0; ///< requests that have been written and may get a reply

    /// Adds another loop's for the same upstream.
    upstream_figures& operator+=(const upstream_figures& other) noexcept
    {
        counts += other.counts;
        up += other.up;
        on_the_wire += other.on_the_wire;
        return *this;
    }
};

/// A pool at one moment: a copy, which any thread may have. The sum of several is what they did together; they must
/// have the same upstreams and the same timeout.
struct pool_figures {
    request_counts requests;                   ///< what became of requests
    waiting_requests waiting;                  ///< those without an outcome
    std::chrono::nanoseconds oldest_waiting{}; ///< zero when no request waits
    histogram request_durations;               ///< of the requests that waited, from asking to the outcome
    histogram reply_durations;                 ///< of messages that got a reply, from the last writing to the reply
    std::vector<upstream_figures> upstreams;   ///< in the order of the settings

    /// Whether any upstream can be asked.
    bool has_upstream() const
    {
        return std::ranges::any_of(upstreams, [](const upstream_figures& upstream) { return upstream.up != 0; });
    }

    /// Adds another loop's.
    pool_figures& operator+=(const pool_figures& other)
    {
        requests += other.requests;
        waiting += other.waiting;
        oldest_waiting = std::max(oldest_waiting, other.oldest_waiting);
        request_durations += other.request_durations;
        reply_durations += other.reply_durations;
        upstreams.resize(other.upstreams.size());
        std::ranges::transform(upstreams, other.upstreams, upstreams.begin(),
                               [](upstream_figures sum, const upstream_figures& next) { return sum += next; });
        return *this;
    }
};

} // namespace causeway::upstream
