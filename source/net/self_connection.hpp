// A trap when connecting to a port that no process listens on.
#pragma once

#include "net/asio.hpp"

namespace causeway::net {

/// True when both ends of a connection are the same socket. A client that repeatedly connects to a port of its own
/// machine while no process listens on it is eventually assigned that very port for its own end; then it connects to
/// itself, as in a simultaneous open (RFC 9293 §3.5), and the real server finds its port in use.
bool is_connected_to_itself(const tcp_socket& socket);

} // namespace causeway::net
