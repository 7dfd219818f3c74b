// All upstreams as one: ask, and get the reply or the reason why there is none.
#pragma once

#include "net/asio.hpp"
#include "net/host_port.hpp"
#include "net/limit.hpp"
#include "upstream/answer.hpp"
#include "upstream/link.hpp"
#include "upstream/multiplexer.hpp"
#include "upstream/reply_channels.hpp"
#include "upstream/statistics.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

namespace causeway::upstream {

/// How a pool behaves; what each means to a user stands in the README's table of options.
struct pool_settings {
    std::vector<net::host_port> upstreams; ///< at least one
    std::chrono::nanoseconds reply_timeout{};
    std::chrono::nanoseconds reconnect_max{};
    std::size_t window = 1;
    bool coalesce = false; ///< one message for all who wait for the same code
};

/// One connection to each upstream, and everybody who waits for a reply. Belongs to one event loop; every call is
/// made on its thread. It outlives all coroutines that it starts or that call `ask`: after `stop` the loop runs until
/// they have ended, and only then may the pool go.
class pool {
public:
    /// `pending` bounds the requests that wait, in all pools that share it; it outlives the pool.
    pool(asio::io_context& io, const pool_settings& settings, net::limit& pending);

    /// Starts to connect, and keeps at it until `stop`.
    void start();

    /// Gives up all connections. Whoever still waits is told `unavailable`.
    void stop();

    /// Looks `code` up upstream. Gives the reply's line, its line feed included, or a reason, never later than the
    /// reply timeout. The caller lends the timer that runs the race against the reply, so it can give up early:
    /// to cancel `deadline` ends the wait, and leaves nothing behind.
    awaitable<answer> ask(codes::code code, steady_timer& deadline);

    /// Counts since the start, over all upstreams.
    statistics counts() const;

    /// True when nobody waits, in no channel and on no connection.
    bool idle() const;

private:
    bool given_up(clock::time_point now) const;

    executor_type executor_;
    std::chrono::nanoseconds reply_timeout_;
    net::limit& pending_;
    multiplexer requests_;
    reply_channels replies_;
    std::list<link> links_; // refer to `requests_` and `replies_`
    std::uint64_t timed_out_ = 0;
    std::uint64_t abandoned_ = 0;
    bool stopped_ = false;
};

} // namespace causeway::upstream
