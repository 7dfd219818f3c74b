// The HTTP side of one event loop: accepts connections and ends them in good order.
#pragma once

#include "http/answer.hpp"
#include "http/session.hpp"
#include "net/asio.hpp"
#include "net/limit.hpp"
#include "net/listen.hpp"
#include "net/wakeup.hpp"

#include <boost/intrusive/list.hpp>

#include <cstddef>

namespace causeway::http {

/// Serves HTTP on one listening socket. Belongs to one event loop; every call is made on its thread. It outlives the
/// sessions, each of which is owned by the coroutine that serves it.
class server {
public:
    /// `connections` bounds the connections open at once, in all servers that share it; it outlives the server.
    server(tcp_acceptor acceptor, ask_function ask, net::limit& connections);

    /// Accepts and serves. Returns after `drain` or `cut`, when the last session has ended.
    awaitable<> run();

    /// Stops accepting, closes idle connections, and lets requests under way be answered.
    void drain();

    /// Ends all connections now. Returns how many requests were under way.
    std::size_t cut();

    /// The address it listens on, with the real port.
    tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

private:
    awaitable<> serve(net::accepted connection);

    tcp_acceptor acceptor_;
    ask_function ask_;
    net::limit& connections_;
    boost::intrusive::list<session, boost::intrusive::constant_time_size<false>> sessions_;
    net::wakeup session_ended_;
};

} // namespace causeway::http
