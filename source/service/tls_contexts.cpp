#include "service/tls_contexts.hpp"

namespace causeway::service {

tls_contexts make_tls_contexts(const bridge_settings& settings)
{
    tls_contexts made;
    if (!settings.tls.certificate.empty())
        made.clients = net::make_server_context(settings.tls);
    if (settings.upstream_tls)
        for (const auto& upstream : settings.upstreams) {
            const auto& name = settings.upstream_tls_name.empty() ? upstream.host : settings.upstream_tls_name;
            made.upstreams.push_back({net::make_client_context(settings.upstream_trust, name), name});
        }
    return made;
}

} // namespace causeway::service
