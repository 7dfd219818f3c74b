// An emulated payment host, for testing its clients.
#pragma once

#include "backend/iso8583_responder.hpp"
#include "backend/server.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace causeway::backend {

/// Answers ISO 8583 messages as `decide` says. A client that closes its side gets the answers that are ready by then,
/// and not the delayed ones.
class iso8583_host final : public server {
public:
    /// See `server`, and for `settings` `check`, whose exception it throws.
    iso8583_host(asio::io_context& io, const net::host_port& listen, std::chrono::nanoseconds bind_retry,
                 std::size_t most_clients, std::string when_in_use, host_settings settings);

private:
    std::unique_ptr<responder> make_responder() override;

    const host_settings settings_;
    complaints complaints_;
};

} // namespace causeway::backend
