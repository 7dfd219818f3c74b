// The TLS contexts for the settings.
#pragma once

#include "net/tls.hpp"
#include "service/settings.hpp"
#include "upstream/link.hpp"

#include <deque>

namespace causeway::service {

/// Shared by all event loops, for new connections. Each connection keeps the context that it began with.
struct tls_contexts {
    net::tls_context clients;                     ///< none: plain HTTP
    std::deque<upstream::upstream_tls> upstreams; ///< in their order; none: plain TCP
};

/// Reads the files. Throws `std::runtime_error` that names the faulty file.
tls_contexts make_tls_contexts(const bridge_settings& settings);

} // namespace causeway::service
