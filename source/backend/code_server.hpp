// The code server: a TCP server that explains HTTP status codes.
#pragma once

#include "backend/server.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace causeway::backend {

/// Answers every code until the client closes its side and has received all its replies.
class code_server final : public server {
public:
    /// See `server`.
    code_server(asio::io_context& io, const net::host_port& listen, std::chrono::nanoseconds bind_retry,
                std::size_t most_clients, std::string when_in_use);

private:
    std::unique_ptr<responder> make_responder() override;
};

} // namespace causeway::backend
