// The HTTP side of one event loop: accepts connections and ends them in good order.
#pragma once

#include "http/handler.hpp"
#include "http/session.hpp"
#include "http/statistics.hpp"
#include "net/asio.hpp"
#include "net/leave_port.hpp"
#include "net/limit.hpp"
#include "net/listen.hpp"
#include "net/wakeup.hpp"

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace causeway::http {

/// How long a client may take. These are exact to one sweep interval, which is a quarter of the shortest and at most
/// `longest_sweep_interval`.
struct time_limits {
    std::chrono::nanoseconds idle = std::chrono::seconds(60);    ///< between requests; then the connection is closed
    std::chrono::nanoseconds reading = std::chrono::seconds(10); ///< for a request to come to its end; then 408
    std::chrono::nanoseconds writing = std::chrono::seconds(10); ///< to read its answer; then the connection is reset
};

/// While the server drains, for a request to come to its end, from its first byte on; then 408. A client that is slow
/// must not hold the others up, nor use the drain timeout up.
constexpr std::chrono::nanoseconds longest_reading_in_drain = std::chrono::seconds(2);

/// A request whose client has gone away frees its place after two of them; a connection that has just been used is not
/// closed as an idle one before a whole one has passed.
constexpr std::chrono::nanoseconds longest_sweep_interval = std::chrono::milliseconds(250);

/// Most sessions that are swept in one turn of the event loop, so that nobody waits longer for it because there are
/// many of them.
constexpr std::size_t most_swept_in_a_turn = 256;

/// Serves HTTP on one listening socket. Belongs to one event loop; every call is made on its thread. It outlives the
/// sessions, each of which is owned by the coroutine that serves it, and its own coroutines: after `drain` or `cut` the
/// loop runs until they have ended, and only then may the server go.
class server {
public:
    /// `handler` gives the responses. `connections` bounds the connections open at once, in all servers that share it.
    /// Both outlive the server.
    server(tcp_acceptor acceptor, handler& handler, const time_limits& limits, net::limit& connections);

    /// From now on connections are accepted with TLS, or without when `context` is empty. Those that are open stay as
    /// they are.
    void use_tls(net::tls_context context) { common_.tls = std::move(context); }

    /// From now on `recorder`, which outlives the server, logs the requests that begin; nobody does when it is null.
    void record_accesses(access_recorder* recorder) { common_.accesses = recorder; }

    /// From now on these hold, also for what is under way. A time that has begun may be judged by both.
    void apply(const time_limits& limits);

    /// Accepts and serves. Returns after `drain` or `cut`, when the last session has ended.
    awaitable<> run();

    /// From now on clients that begin to connect are dealt to `chosen` of all who serve the port
    /// (`net::deal_newcomers`). Any thread may call it, before `drain`.
    void deal_newcomers(net::sockets_of_port chosen) { net::deal_newcomers(acceptor_, chosen); }

    /// From now on clients that begin to connect are refused; only where nobody else serves the port. Any thread may
    /// call it, before `drain`, because all servers of a port must be told in one go (`net::refuse_newcomers`).
    void refuse_newcomers() { net::refuse_newcomers(acceptor_); }

    /// Stops accepting, a moment later, after those who have connected by then, closes idle connections, and lets
    /// requests under way be answered; one that is still coming has `longest_reading_in_drain` for that. A connection
    /// that has just been used stays for another moment, because its next request may be on its way. `others` are
    /// sockets of another process on the same port, if there are any: clients that begin to connect are dealt to them.
    /// If these turn out to be other sockets than that, it notices.
    void drain(net::sockets_of_port others = {});

    /// Ends all connections now. Returns how many requests were under way, pipelined ones each by itself.
    std::size_t cut();

    /// What has happened since the start.
    const statistics& counts() const noexcept { return common_.counts; }

    /// The address it listens on, with the real port.
    tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

private:
    awaitable<> accept_and_drain();
    awaitable<> stop_accepting();
    awaitable<> wait(std::chrono::nanoseconds duration);
    awaitable<> sweep_sessions();
    bool sweep_some();
    awaitable<> serve(net::accepted connection);
    void admit(net::accepted connection);

    tcp_acceptor acceptor_;
    std::chrono::nanoseconds sweep_interval_;
    sweep_limits limits_;
    net::limit& connections_;
    common common_;
    std::uint64_t sweep_ = 0; // the number of the last one
    boost::intrusive::list<session, boost::intrusive::constant_time_size<false>> sessions_;
    net::wakeup session_ended_;
    steady_timer drain_timer_;
    bool draining_ = false;
    net::sockets_of_port others_;                   // who gets the newcomers while it drains
    bool somebody_came_ = false;                    // while `stop_accepting` waits for quiet
    std::chrono::microseconds slowest_handshake_{}; // since it drains
};

} // namespace causeway::http
