#include "service/tls_contexts.hpp"

#include <string>

namespace causeway::service {
namespace {

// The dot at the end of a fully qualified name is not in certificates, nor sent to a server (RFC 6066 §3).
std::string without_dot(std::string host)
{
    if (host.ends_with('.'))
        host.pop_back();
    return host;
}

} // namespace

tls_contexts make_tls_contexts(const bridge_settings& settings)
{
    tls_contexts made;
    if (!settings.tls.certificate.empty())
        made.clients = net::make_server_context(settings.tls);
    if (settings.upstream_tls)
        for (const auto& upstream : settings.upstreams) {
            const auto name =
                without_dot(settings.upstream_tls_name.empty() ? upstream.host : settings.upstream_tls_name);
            made.upstreams.push_back({net::make_client_context(settings.upstream_trust, name), name});
        }
    return made;
}

} // namespace causeway::service
