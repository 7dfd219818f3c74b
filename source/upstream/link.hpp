// The link to one upstream: connect, converse, lose the connection, connect again, for ever.
#pragma once

#include "net/asio.hpp"
#include "net/connection.hpp"
#include "net/host_port.hpp"
#include "net/wakeup.hpp"
#include "upstream/address_order.hpp"
#include "upstream/availability.hpp"
#include "upstream/backoff.hpp"
#include "upstream/conversation.hpp"
#include "upstream/multiplexer.hpp"
#include "upstream/outage_log.hpp"
#include "upstream/protocol.hpp"
#include "upstream/statistics.hpp"
#include "upstream/trials.hpp"
#include "upstream/wire_observer.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace causeway::upstream {

/// How to speak TLS to an upstream. Without a context, connections are plain.
struct upstream_tls {
    net::tls_context context; ///< requires a certificate for `name`
    std::string name;         ///< a host name or an address
};

/// Keeps one connection to one upstream. Belongs to one event loop; every call is made on its thread. The
/// multiplexer, the protocol, the log of outages and the turns for trials outlive it; it outlives the coroutine that
/// `start` spawns and `stop` ends.
class link {
public:
    /// A connection on which something was written is given up if not a single byte comes back within twice
    /// `reply_timeout`, but not before half a second; if what was written is not even acknowledged, within half of that
    /// time. `hurry_all` is called at the beginning of a pause while requests wait that no connection serves: another
    /// upstream may serve them sooner.
    link(const executor_type& executor, net::host_port upstream, const upstream::protocol& protocol,
         std::chrono::nanoseconds reply_timeout, std::chrono::nanoseconds reconnect_max, multiplexer& requests,
         outage_log& outages, trials& trials, std::function<void()> hurry_all);
    link(const link&) = delete;
    link& operator=(const link&) = delete;

    /// From now on these hold, also for an open connection, except for `tls` and how long the kernel waits for an
    /// acknowledgement. A current pause that is longer than the first step ends soon.
    void apply(std::chrono::nanoseconds reply_timeout, std::chrono::nanoseconds reconnect_max, upstream_tls tls);

    /// Connects and converses until `stop`. A lost connection costs only time: its requests are written again on the
    /// next one, if they may be.
    void start();

    /// Ends whatever the link is doing; its coroutine ends soon after.
    void stop();

    /// Requests wait that no connection serves: shortens a longer pause before the next attempt to that of the first
    /// step, unless another connection would be of no use.
    void hurry();

    /// From now on `observer`, which outlives the link, is told what happens on its connections; nobody is when it is
    /// null.
    void observe(wire_observer* observer) noexcept { observer_ = observer; }

    /// How long there has been no connection that works; zero while there is one.
    std::chrono::nanoseconds down_for(clock::time_point now) const { return availability_.down_for(now); }

    /// True when no request is on its connection.
    bool idle() const noexcept { return lane_.waiting() == 0; }

    /// Requests that have been written on its connection and may get a reply.
    std::size_t on_the_wire() const noexcept { return lane_.on_the_wire(); }

    /// What has happened on its connections.
    const connection_counts& counts() const noexcept { return counts_; }

private:
    awaitable<> run();
    awaitable<std::optional<net::connection>> connect();
    awaitable<> attempt(tcp::endpoint endpoint, std::optional<net::connection>& made, error_code& error);
    awaitable<error_code> connect(tcp_socket& socket, tcp::endpoint endpoint) const;
    awaitable<> converse_on(net::connection connection);
    awaitable<> pause();
    void opened(bool asked_at_once);
    void spoke();
    void dropped(const key& key);
    void count(const ending& ending);
    void tell(wire_event what, std::string_view detail);
    void lost(std::string_view reason, bool had_worked);
    void watch_the_network(tcp_socket& socket) const;
    void cannot_connect(std::string_view reason);

    net::host_port upstream_;
    std::string name_; // for the log
    const protocol& protocol_;
    upstream_tls tls_; // of new connections
    multiplexer& requests_;
    connection_counts counts_;

    net::wakeup has_requests_;
    lane lane_;
    wire_observer* observer_ = nullptr;
    address_order addresses_;
    availability availability_;
    outage_log& outages_;
    trials& trials_;

    std::minstd_rand random_{std::random_device{}()};
    std::chrono::nanoseconds patience_; // with a silent upstream
    backoff backoff_;
    steady_timer retry_;
    std::function<void()> hurry_all_;
    bool declines_ = false;      // it is up, but declined the last greeting
    bool hung_up_ = false;       // it is up, but the last connection was of no use
    bool answers_tests_ = false; // has ever answered a heartbeat, or a greeting
    bool stopped_ = false;
    asio::cancellation_signal cancellation_;
};

} // namespace causeway::upstream
