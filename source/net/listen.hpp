// Listening on a port, and accepting connections from it for as long as the process lives.
#pragma once

#include "net/asio.hpp"
#include "net/host_port.hpp"
#include "net/limit.hpp"

#include <cstdint>
#include <optional>

namespace causeway::net {

/// Which other sockets may listen on the same port (SO_REUSEPORT, socket(7)).
enum class port_sharing {
    never,      ///< none
    afterwards, ///< it must be free now; later sockets may join: the other event loops, a process that takes over
    from_start, ///< joins sockets that are already there, if they share it
};

/// The first endpoint that `place` stands for. Blocks while a name is looked up; for start-up.
/// Throws `boost::system::system_error` when the name is unknown.
tcp::endpoint resolve_for_listening(asio::io_context& io, const host_port& place);

/// A socket that listens on `place`; port 0 picks a free port. Throws `boost::system::system_error`, with
/// `asio::error::address_in_use` when the port is in use.
tcp_acceptor listen(asio::io_context& io, const tcp::endpoint& place, port_sharing sharing);

/// A connection, and its place among the connections allowed at once.
struct accepted {
    tcp_socket socket;  ///< of the connection
    limit::place place; ///< to be kept as long as the connection
};

/// A connection from the listen queue, without waiting for one. Otherwise nothing, and `error` says why: `would_block`
/// when the queue is empty, `connection_aborted` when a client has given up, no error when `connections` has no place
/// left, or what went wrong.
std::optional<accepted> accept_waiting(tcp_acceptor& acceptor, limit& connections, error_code& error);

/// The next connection; nothing once `acceptor` is closed. When `connections` has no place left, further connections
/// wait in the listen queue. After a failure, such as too many open files, it tries again a moment later: the failure
/// passes when others close, and must not end the service. `failures` counts failures over all calls, so that the log
/// gets a line only for the first, second, fourth, eighth …; it outlives the call.
awaitable<std::optional<accepted>> accept(tcp_acceptor& acceptor, limit& connections, std::uint64_t& failures);

} // namespace causeway::net
