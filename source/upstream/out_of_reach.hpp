// Which errors say that a peer is out of reach.
#pragma once

#include "net/asio.hpp"

#include <boost/asio/error.hpp>

namespace causeway::upstream {

/// Whether `error` says that the network found no way to a peer, or no sign of it: unlike one that refuses or closes a
/// connection, which is there, and may be back in a moment.
inline bool is_out_of_reach(const error_code& error)
{
    return error == asio::error::timed_out || error == asio::error::host_unreachable ||
           error == asio::error::network_unreachable;
}

} // namespace causeway::upstream
