// HOST:PORT as people write it.
#pragma once

#include "net/asio.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace causeway::net {

/// A place to connect to or to listen on: a name, an IPv4 address or an IPv6 address, and a port.
struct host_port {
    std::string host;       ///< without brackets
    std::uint16_t port = 0; ///< 0 to listen on a free one

    friend bool operator==(const host_port&, const host_port&) = default;
};

/// Reads `HOST:PORT`, where HOST is a name, an IPv4 address, or an IPv6 address in brackets; nothing for any other
/// text.
std::optional<host_port> parse_host_port(std::string_view text);

/// The same place as text, an IPv6 address in brackets.
std::string to_string(const host_port& place);
std::string to_string(const tcp::endpoint& place);

/// The endpoints that `place` stands for, each once. An address is used as it is; a name is looked up, beside all
/// others that are looked up meanwhile, and the error is the resolver's when that fails. The look-up cannot be
/// interrupted: a cancelled one ends when the system's `getaddrinfo` gives up.
awaitable<std::tuple<error_code, std::vector<tcp::endpoint>>> resolve(const host_port& place);

} // namespace causeway::net
