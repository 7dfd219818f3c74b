// TLS in front of a plain server, as with a proxy.
#pragma once

#include "certificates.hpp"
#include "net/asio.hpp"

#include <boost/asio/ssl/context.hpp>

#include <cstdint>
#include <string>
#include <thread>

namespace causeway::test {

/// Listens on a free port of 127.0.0.1, and connects each client to the server on `port`. Without a server, or once
/// that has closed the connection, the client's is closed too, without a close_notify, as by a process that was killed.
class tls_relay {
public:
    tls_relay(const identity& shown, std::uint16_t port);
    ~tls_relay();
    tls_relay(const tls_relay&) = delete;
    tls_relay& operator=(const tls_relay&) = delete;

    std::string address() const;

private:
    awaitable<> listen();
    awaitable<> relay(tcp_socket client);

    asio::io_context io_;
    asio::ssl::context context_{asio::ssl::context::tls_server};
    tcp_acceptor acceptor_;
    tcp::endpoint server_;
    std::jthread thread_;
};

} // namespace causeway::test
