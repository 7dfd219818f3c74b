#include "backend/iso8583_host.hpp"

#include <utility>

namespace causeway::backend {

iso8583_host::iso8583_host(asio::io_context& io, const net::host_port& listen, std::chrono::nanoseconds bind_retry,
                           std::size_t most_clients, std::string when_in_use, host_settings settings)
    : server(io, "iso8583 host", listen, bind_retry, most_clients, std::move(when_in_use))
    , settings_(std::move(settings))
{
    check(settings_);
}

std::unique_ptr<responder> iso8583_host::make_responder()
{
    return std::make_unique<iso8583_responder>(settings_, complaints_, clock::now());
}

} // namespace causeway::backend
