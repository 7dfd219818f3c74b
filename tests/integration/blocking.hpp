// Blocking clients and servers, for tests whose event loops are in other processes. Nothing blocks for longer than
// `patience`; failures throw.
#pragma once

#include "tls_session.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace causeway::test {

/// Owns a file descriptor.
class descriptor {
public:
    explicit descriptor(int number) noexcept
        : number_(number)
    {
    }
    descriptor(descriptor&& other) noexcept
        : number_(std::exchange(other.number_, -1))
    {
    }
    descriptor& operator=(descriptor&& other) noexcept
    {
        std::swap(number_, other.number_);
        return *this;
    }
    ~descriptor() { close(); }

    int number() const noexcept { return number_; }
    void close() noexcept;

private:
    int number_;
};

/// A port of 127.0.0.1, used with TLS if there is a context.
struct place {
    place(std::uint16_t number, client_context context = {}) // NOLINT(google-explicit-constructor): most are ports only
        : port(number)
        , tls(std::move(context))
    {
    }
    std::uint16_t port;
    client_context tls;
};

/// A connection was not accepted.
class cannot_connect : public std::system_error {
public:
    cannot_connect(std::error_code reason, std::uint32_t retries)
        : std::system_error(reason, "connect")
        , retries_(retries)
    {
    }

    /// How often TCP had retried by then.
    std::uint32_t retries() const noexcept { return retries_; }

private:
    std::uint32_t retries_;
};

/// A TCP connection, with or without TLS.
class connection {
public:
    /// Connects to `port` at `address` on this machine. Throws `cannot_connect`.
    explicit connection(std::uint16_t port, const std::string& address = "127.0.0.1");

    /// Connects to `server`, and performs a TLS handshake if it uses TLS.
    explicit connection(const place& server);

    /// Takes over a connected socket.
    explicit connection(descriptor connected);

    /// How often TCP had to retry to connect, because a SYN got no answer.
    std::uint32_t retries() const noexcept { return retries_; }

    void send(std::string_view bytes);

    /// True when something has arrived that was not received yet, or the other side has closed the connection.
    bool can_receive() const;

    /// The next line with its line feed, or what is left when the other side has closed the connection.
    std::string receive_line();

    /// The next `count` bytes, or what is left when the other side has closed the connection.
    std::string receive(std::size_t count);

    /// Everything that arrives until the other side closes the connection. Throws when it resets it instead.
    std::string receive_rest();

    void close() noexcept { socket_.close(); }

private:
    bool receive_some();
    std::string take(std::size_t count);

    descriptor socket_;
    std::uint32_t retries_;
    std::unique_ptr<tls_session> tls_;
    std::string input_;
};

/// True when connections to `port` on this machine are accepted.
bool accepts_connections(std::uint16_t port);

/// True if the name `localhost` has an address.
bool knows_localhost();

/// True if ::1 is an address of this machine.
bool has_ipv6();

/// Listens on 127.0.0.1.
class listener {
public:
    enum class sharing { no, yes };

    /// Port 0 picks a free port. With `sharing::yes`, other sockets with that option may listen on it too
    /// (SO_REUSEPORT).
    explicit listener(std::uint16_t port = 0, sharing with = sharing::no);

    connection accept();

    /// True when a client has connected that has not been accepted yet.
    bool can_accept() const;

    /// From now on further clients get no answer at all, as from a host that does not exist.
    void ignore_clients();

    void close() noexcept { socket_.close(); }

    std::uint16_t port() const noexcept { return port_; }
    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

private:
    descriptor socket_;
    std::uint16_t port_;
    std::optional<connection> fills_the_queue_;
};

/// The answer to an HTTP request.
struct http_answer {
    int status = 0;
    std::string head; ///< with the status line and the empty line
    std::string body;
};

/// The other side has closed the connection properly before the first byte of an answer.
class no_answer : public std::runtime_error {
public:
    no_answer()
        : std::runtime_error("the connection was closed instead of an answer")
    {
    }
};

/// Asks for `code` on a persistent connection. Throws `no_answer`.
void send_request(connection& connection, std::string_view code);
http_answer receive_answer(connection& connection);
http_answer get(connection& connection, std::string_view code);

/// Asks for `code` on a new connection.
http_answer get(const place& server, std::string_view code);

} // namespace causeway::test
