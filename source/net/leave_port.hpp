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

/// True when more than `own` sockets listen on `place`: another process shares the port (SO_REUSEPORT), and the kernel
/// deals clients to it as well. False when that cannot be found out. Reads /proc/net/tcp, of which the listening
/// sockets are the first lines.
bool others_listen_on(const tcp::endpoint& place, std::size_t own);

/// For a port that nobody else listens on: from now on a client that begins to connect is refused at once, as if the
/// socket were closed, and one that has begun can finish. Where a process has several sockets on the port, all of them
/// must be told without delay: while one is not, the kernel leaves those clients unanswered that it deals to the
/// others. Before Linux 5.7 it does what `ignore_newcomers` does. Any thread may call it, as long as no other closes
/// the socket.
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
