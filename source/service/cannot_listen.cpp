#include "service/cannot_listen.hpp"

#include <fmt/core.h>

namespace causeway::service {
namespace {

const char* advice(const error_code& error, bool share_port)
{
    if (error == asio::error::address_in_use && share_port)
        return "only a program of the same user can share its port, if it allows that; choose another port with "
               "--listen";
    if (error == asio::error::address_in_use)
        return "choose another port with --listen, or join another Causeway of the same user with --share-port";
    if (error == asio::error::access_denied)
        return "choose a port of 1024 or above with --listen, or give the program the capability CAP_NET_BIND_SERVICE";
    if (error == asio::error::no_descriptors)
        return "raise the limit of open files with ulimit -n, or LimitNOFILE= in a systemd unit";
    return "choose another address with --listen";
}

} // namespace

std::runtime_error cannot_listen(const net::host_port& place, const error_code& error, bool share_port)
{
    return std::runtime_error(
        fmt::format("cannot listen on {}: {}; {}", net::to_string(place), error.message(), advice(error, share_port)));
}

std::runtime_error cannot_listen_for_admin(const net::host_port& place, const error_code& error)
{
    return std::runtime_error(
        fmt::format("cannot listen on {}: {}; choose another address with --admin, or --admin=off",
                    net::to_string(place), error.message()));
}

} // namespace causeway::service
