// Ceasing to listen on a port without harm to those who connect in that moment.
//
// A client whose handshake the kernel completes just before the listening socket is closed is reset, although it did
// nothing wrong, and so is one that is in the middle of its handshake. So first no more may come, then those who have
// begun are accepted, then the socket is closed. Whether anybody else listens on the port decides how "no more may
// come" can be had.
#pragma once

#include "net/asio.hpp"

#include <chrono>
#include <cstddef>

namespace causeway::net {

/// How many sockets listen on `place` besides `own` ones: those of other processes that share the port (SO_REUSEPORT),
/// and to which the kernel deals clients as well. None when that cannot be found out. Reads /proc/net/tcp, of which the
/// listening sockets are the first lines.
std::size_t others_listening_on(const tcp::endpoint& place, std::size_t own);

/// Some of the sockets that share a port. They are numbered from 0 in the order in which they began to listen; when one
/// is closed, the last takes its number.
struct sockets_of_port {
    std::size_t first = 0;
    std::size_t count = 0;
};

/// From now on clients that begin to connect are dealt at random to `chosen`, at least one, whichever process has them;
/// a number that no socket has stands for any socket. That holds for all sockets that share the port, of which
/// `acceptor` is one, until it is chosen anew. A socket that shares with nobody is left alone. Any thread may call it,
/// as long as no other closes the socket.
void deal_newcomers(tcp_acceptor& acceptor, sockets_of_port chosen);

/// From now on clients that begin to connect are dealt to all sockets that share the port, as at first.
void deal_newcomers_to_all(tcp_acceptor& acceptor);

/// For a port that nobody else listens on: from now on a client that begins to connect is refused at once, as if the
/// socket were closed, and one that has begun can finish. Where a process has several sockets on the port, clients are
/// refused only once the last of them has been told; until then the kernel goes on dealing to all, and whoever is dealt
/// to one that has been told gets no answer. So deal all newcomers to one socket first, and tell that one last. Before
/// Linux 5.7 this does what `ignore_newcomers` does. Any thread may call it, as long as no other closes the socket.
void refuse_newcomers(tcp_acceptor& acceptor);

/// For a port that others listen on: from now on a client that begins to connect and is dealt to this socket gets no
/// answer. Its TCP tries again after a second, and finds another socket if this one is closed by then. One that has
/// begun can finish.
void ignore_newcomers(tcp_acceptor& acceptor);

/// True when the kernel hands whoever waits in the queue of a socket that is closed, or is in the middle of a handshake
/// with it, to another socket on the port (`net.ipv4.tcp_migrate_req`, Linux 5.14). Then nobody need be ignored.
bool kernel_hands_over_connections();

/// How long the handshake of a connection that has just been accepted took, about: its round trip (tcp(7), TCP_INFO).
/// Zero when the kernel does not know.
std::chrono::microseconds handshake_time(tcp_socket& accepted);

} // namespace causeway::net
