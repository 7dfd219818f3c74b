// The TLS contexts that the settings ask for.
#pragma once

#include "net/tls.hpp"
#include "service/settings.hpp"
#include "upstream/link.hpp"

#include <deque>

namespace causeway::service {

/// Shared by all event loops, for the connections to come. Each connection keeps what it began with.
struct tls_contexts {
    net::tls_context clients;                     ///< none: plain HTTP
    std::deque<upstream::upstream_tls> upstreams; ///< in their order; none: plain TCP
};

/// Reads the files. Throws `std::runtime_error` that names the file with which something is wrong.
tls_contexts make_tls_contexts(const bridge_settings& settings);

} // namespace causeway::service
