#include "service/cannot_listen.hpp"

#include <fmt/core.h>

namespace causeway::service {

std::runtime_error cannot_listen(const net::host_port& place, const error_code& error)
{
    const auto* advice = error == asio::error::address_in_use
                             ? "choose another port with --listen, or join another Causeway with --share-port"
                             : "choose another address with --listen";
    return std::runtime_error(
        fmt::format("cannot listen on {}: {}; {}", net::to_string(place), error.message(), advice));
}

} // namespace causeway::service
