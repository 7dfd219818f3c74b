// The HTTP side of one event loop: accepts connections and closes them properly.
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
    std::chrono::nanoseconds reading = std::chrono::seconds(10); ///< for a request to arrive completely; then 408
    std::chrono::nanoseconds writing = std::chrono::seconds(10); ///< to read its answer; then the connection is reset
};

/// While the server drains, for a request to arrive completely, from its first byte on; then 408. A slow client must
/// not hold up the others, nor use up the drain timeout.
constexpr std::chrono::nanoseconds longest_reading_in_drain = std::chrono::seconds(2);

/// A request whose client has disconnected frees its place after two intervals; a connection that has just been used is
/// not closed as idle before a whole interval has passed.
constexpr std::chrono::nanoseconds longest_sweep_interval = std::chrono::milliseconds(250);

/// Most sessions that are swept in one turn of the event loop, so that a turn does not take longer with many sessions.
constexpr std::size_t most_swept_in_a_turn = 256;

/// Most connections that are accepted in one turn of the event loop, so that a crowd does not keep the others waiting.
constexpr std::size_t most_accepted_in_a_turn = 16;

/// Serves HTTP on one listening socket. Belongs to one event loop; every call is made on its thread. It outlives the
/// sessions, each of which is owned by the coroutine that serves it, and its own coroutines: after `drain` or `cut` the
/// loop runs until they have ended, and only then may the server be destroyed.
class server {
public:
    /// `handler` gives the responses. `connections` bounds the connections open at once, in all servers that share it.
    /// Both outlive the server.
    server(tcp_acceptor acceptor, handler& handler, const time_limits& limits, net::limit& connections);

    /// From now on new connections use TLS, or not if `context` is empty. Open connections stay as they are.
    void use_tls(net::tls_context context) { common_.tls = std::move(context); }

    /// From now on `recorder`, which outlives the server, records new requests; if it is null, they are not recorded.
    void record_accesses(access_recorder* recorder) { common_.accesses = recorder; }

    /// From now on these limits hold, also for requests in flight. A phase that has begun may be judged by both the old
    /// and the new limits.
    void apply(const time_limits& limits);

    /// Accepts and serves. Returns after `drain` or `cut`, when the last session has ended.
    awaitable<> run();

    /// From now on new connections go to `chosen` of all sockets on the port (`net::deal_newcomers`). Any thread may
    /// call it, before `drain`.
    void deal_newcomers(net::sockets_of_port chosen) { net::deal_newcomers(acceptor_, chosen); }

    /// From now on new connections are refused; only if no other process serves the port. Any thread may call it,
    /// before `drain`, because all servers of a port must be told together (`net::refuse_newcomers`).
    void refuse_newcomers() { net::refuse_newcomers(acceptor_); }

    /// Stops accepting a moment later, after the clients that have connected by then; closes idle connections, and lets
    /// requests in flight be answered; one that is still arriving has `longest_reading_in_drain` for that. A connection
    /// that has just been used stays for another moment, because its next request may be on its way. `others` are
    /// sockets of another process on the same port, if there are any: new connections go to them. The server notices if
    /// these turn out to be the wrong sockets.
    void drain(net::sockets_of_port others = {});

    /// Ends all connections now. Returns how many requests were in flight, counting each pipelined one.
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
    awaitable<> admit_with_others(net::accepted connection);
    bool admit_some();
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
    net::sockets_of_port others_;                   // the sockets that get new connections while it drains
    bool somebody_came_ = false;                    // while `stop_accepting` waits for quiet
    std::chrono::microseconds slowest_handshake_{}; // since it drains
};

} // namespace causeway::http
