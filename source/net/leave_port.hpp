// Ceasing to listen on a port without harming clients that connect at that moment.
//
// A client whose handshake the kernel completes just before the listening socket is closed is reset, although it did
// nothing wrong, and so is one that is in the middle of its handshake. So first no more may arrive, then those that
// have begun are accepted, then the socket is closed. How "no more may arrive" is achieved depends on whether another
// process listens on the port.
#pragma once

#include "net/asio.hpp"

#include <chrono>
#include <cstddef>
#include <optional>

namespace causeway::net {

/// How many sockets listen on `place` besides `own` ones: those of other processes that share the port (SO_REUSEPORT),
/// to which the kernel assigns clients as well. Nothing when that cannot be read. Reads /proc/self/net/tcp, whose first
/// lines are the listening sockets, and which is also there when only processes are visible (systemd's ProcSubset=pid).
std::optional<std::size_t> others_listening_on(const tcp::endpoint& place, std::size_t own);

/// Some of the sockets that share a port. They are numbered from 0 in the order in which they began to listen; when one
/// is closed, the last takes its number.
struct sockets_of_port {
    std::size_t first = 0; ///< the number of the first
    std::size_t count = 0; ///< how many, from that on
};

/// From now on new connections go at random to `chosen`, at least one, whichever process has them; a number that no
/// socket has stands for any socket. This applies to all sockets that share the port, of which `acceptor` is one, until
/// another choice is made. A socket that shares its port with no other is left alone. Any thread may call it, as long
/// as no other thread closes the socket.
void deal_newcomers(tcp_acceptor& acceptor, sockets_of_port chosen);

/// From now on new connections go to all sockets that share the port, as at first.
void deal_newcomers_to_all(tcp_acceptor& acceptor);

/// For a port that no other process listens on: from now on a new connection is refused at once, as if the socket were
/// closed, and one that has begun can finish. If a process has several sockets on the port, connections are refused
/// only once this was called for the last of them; until then the kernel keeps assigning connections to all, and those
/// assigned to a refusing socket get no answer. So direct all newcomers to one socket first, and call this for that
/// socket last. Before Linux 5.7 this does the same as `ignore_newcomers`. Any thread may call it, as long as no other
/// thread closes the socket.
void refuse_newcomers(tcp_acceptor& acceptor);

/// For a port that other processes listen on: from now on a new connection that is assigned to this socket gets no
/// answer. The client's TCP retries after a second, and finds another socket if this one is closed by then. A
/// connection that has begun can finish.
void ignore_newcomers(tcp_acceptor& acceptor);

/// True when the kernel moves connections that wait in the queue of a closed socket, or are in the middle of a
/// handshake with it, to another socket on the port (`net.ipv4.tcp_migrate_req`, Linux 5.14). Then no connection needs
/// to be ignored.
bool kernel_hands_over_connections();

/// About how long the handshake of a newly accepted connection took: its round-trip time (tcp(7), TCP_INFO). Zero when
/// the kernel does not know.
std::chrono::microseconds handshake_time(tcp_socket& accepted);

} // namespace causeway::net
