// Why a program does not start, and what to do about it.
#pragma once

#include "net/asio.hpp"
#include "net/host_port.hpp"

#include <stdexcept>

namespace causeway::service {

/// The exception that says that `place` cannot be listened on, why, and what to do about it, in one line. `share_port`:
/// the user has already allowed others to listen there.
std::runtime_error cannot_listen(const net::host_port& place, const error_code& error, bool share_port = false);

/// The same for the address of the option --admin.
std::runtime_error cannot_listen_for_admin(const net::host_port& place, const error_code& error);

} // namespace causeway::service
