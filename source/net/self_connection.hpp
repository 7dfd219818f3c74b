// A trap of connecting to a port that nobody listens on.
#pragma once

#include "net/asio.hpp"

namespace causeway::net {

/// True when both ends of a connection are the same socket. A client that connects to a port of its own machine again
/// and again, while nobody listens on it, is one day given that very port for its own end; then it meets itself, as if
/// two clients had called each other at once (RFC 9293 §3.5), and the real server finds its port taken.
bool is_connected_to_itself(const tcp_socket& socket);

} // namespace causeway::net
