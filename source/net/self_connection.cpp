#include "net/self_connection.hpp"

namespace causeway::net {

bool is_connected_to_itself(const tcp_socket& socket)
{
    error_code no_local;
    error_code no_remote;
    const auto local = socket.local_endpoint(no_local);
    const auto remote = socket.remote_endpoint(no_remote);
    return !no_local && !no_remote && local == remote;
}

} // namespace causeway::net
