// All upstreams as one: ask, and get the reply or the reason for its absence.
#pragma once

#include "net/asio.hpp"
#include "net/host_port.hpp"
#include "net/limit.hpp"
#include "net/trace.hpp"
#include "upstream/late_replies.hpp"
#include "upstream/link.hpp"
#include "upstream/multiplexer.hpp"
#include "upstream/outage_log.hpp"
#include "upstream/outcome.hpp"
#include "upstream/protocol.hpp"
#include "upstream/statistics.hpp"
#include "upstream/trials.hpp"
#include "upstream/wire_observer.hpp"

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <vector>

namespace causeway::upstream {

/// How a pool behaves; the README's table of options says what each setting means to a user.
struct pool_settings {
    std::vector<net::host_port> upstreams;    ///< at least one
    std::chrono::nanoseconds reply_timeout{}; ///< how long a request may wait in all
    std::chrono::nanoseconds reconnect_max{}; ///< the longest pause between two attempts to connect
    std::size_t window = 1;                   ///< most messages in flight on one connection
    bool coalesce = false; ///< one message for all requests that wait for the same key; only where keys are shared
    upstream::protocol protocol;       ///< of all upstreams
    std::deque<upstream_tls> tls = {}; ///< of each upstream; those without an entry use no TLS
    std::shared_ptr<outage_log> outages = std::make_shared<outage_log>(); ///< of all pools with these settings
    std::shared_ptr<upstream::trials> trials = std::make_shared<upstream::trials>(); ///< the same
};

/// One connection to each upstream, and all requests that wait for a reply. Belongs to one event loop; every call is
/// made on its thread. It outlives all coroutines that it starts or that call `ask`: after `stop` the loop runs until
/// they have ended, and only then may the pool be destroyed.
class pool {
public:
    /// `pending` bounds the requests that wait, in all pools that share it; it outlives the pool.
    pool(asio::io_context& io, const pool_settings& settings, net::limit& pending);

    /// From now on the reply timeout, the longest pause and the window of `settings` hold; everything else stays as it
    /// is. Requests that wait keep their deadlines.
    void apply(const pool_settings& settings);

    /// Starts to connect, and keeps connecting until `stop`.
    void start();

    /// Gives up all connections. Requests that still wait fail as `unavailable`.
    void stop();

    /// Asks an upstream. Returns the reply or a failure, no later than the reply timeout. The caller lends the timer
    /// that races the reply, so that it can give up early: cancelling `deadline` ends the wait, and leaves nothing
    /// behind. What became of the request is noted in `trace`, if there is one, which outlives the wait and says when
    /// the reply timeout begins; otherwise it begins now.
    awaitable<outcome> ask(question question, steady_timer& deadline, net::trace* trace = nullptr);

    /// From now on `observer`, which outlives the pool, is told what happens on the wires; nobody is when it is null.
    void observe(wire_observer* observer);

    /// Counts since the start, over all upstreams.
    statistics counts() const;

    /// What it has done, and which requests wait, as a copy.
    pool_figures figures() const;

    /// True when no request waits, in any channel or on any connection.
    bool idle() const;

private:
    // A waiting request. It is in a list whose first element has waited longest.
    struct waiter : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
        explicit waiter(clock::time_point now)
            : since(now)
        {
        }
        clock::time_point since;
    };

    void hurry();
    bool given_up(clock::time_point now) const;
    bool is_taken(const question& question, clock::time_point now);
    failure failed(failure why, std::uint64_t& count, net::trace* trace);
    void replied(const waiter& waited, const std::optional<writing>& answered, net::trace* trace);
    failure why_it_failed(error_code error, const steady_timer& deadline, clock::time_point now, net::trace* trace);

    executor_type executor_;
    std::chrono::nanoseconds reply_timeout_;
    upstream::protocol protocol_;
    std::shared_ptr<outage_log> outages_;
    std::shared_ptr<trials> trials_;
    net::limit& pending_;
    multiplexer requests_;
    late_replies late_replies_; // where keys are not shared
    std::list<link> links_;     // refer to `protocol_` and `requests_`
    boost::intrusive::list<waiter, boost::intrusive::constant_time_size<false>> waiters_;
    request_counts counts_;
    histogram request_durations_;
    histogram reply_durations_;
    bool stopped_ = false;
};

} // namespace causeway::upstream
