// TLS for a connection: contexts, and the bytes of one peer, by OpenSSL itself.
#pragma once

#include "net/asio.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>

#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace causeway::net {

/// Certificates and rules. Once in use it is not changed any more: whoever wants other ones makes another context for
/// the connections to come. A connection keeps alive what it needs of its own.
using tls_context = std::shared_ptr<asio::ssl::context>;

/// What a server shows, and whom it lets in. All are names of PEM files.
struct server_tls {
    std::string certificate; ///< with the intermediate ones behind it
    std::string private_key; ///< without a passphrase
    std::string client_ca;   ///< a client needs a certificate that one of these has signed; empty for any client

    friend bool operator==(const server_tls&, const server_tls&) = default;
};

/// Makes the context of a server: TLS 1.2 and later, HTTP/1.1 in ALPN (RFC 7301), sessions resumed by tickets. All
/// contexts of a process share the keys of their tickets, so a client may resume its session on any event loop, and
/// after its certificate was renewed. Not where the certificates of `client_ca` have changed since, nor when a
/// certificate has expired that the client was let in with, be it of an authority: then a handshake decides that
/// verifies them. Blocks while it reads the files. Throws `std::runtime_error`, which names the file and what is wrong
/// with it.
tls_context make_server_context(const server_tls& settings);

/// When the certificate that a context shows expires; nothing when it shows none.
std::optional<std::chrono::system_clock::time_point> expiry_of(const tls_context& context);

/// Whom a client trusts, and what it shows.
struct client_tls {
    std::string ca = {};          ///< a PEM file of certificates; empty for those that the system trusts
    std::string certificate = {}; ///< a PEM file, for a server that asks for one; may be empty
    std::string private_key = {}; ///< of that certificate

    friend bool operator==(const client_tls&, const client_tls&) = default;
};

/// Makes the context of a client of the server `name`, which is a host name or an address: its certificate must be for
/// that, on every connection. Blocks and throws like `make_server_context`.
tls_context make_client_context(const client_tls& settings, const std::string& name);

/// What OpenSSL receives from and sends to on behalf of a session.
struct tls_transport {
    int socket = -1;       ///< none when the connection is closed
    int receives_left = 0; ///< before the other connections get their turn
};

/// One end of a TLS session on a non-blocking socket, which each call is given: OpenSSL reads from it and writes to it.
/// So nothing is copied between two streams, and an idle session keeps no buffer. Belongs to one event loop.
class tls_session {
public:
    tls_session() = default; ///< none: the connection is a plain one

    /// For a server that has accepted `socket`, and for a client that is connected to `name` on it. Throws
    /// `std::bad_alloc`.
    static tls_session accepting(asio::ssl::context& context, tcp_socket& socket);
    static tls_session connecting(asio::ssl::context& context, tcp_socket& socket, const std::string& name);

    explicit operator bool() const noexcept { return ssl_ != nullptr; }

    /// These do what can be done without waiting. With `would_block`, call them again, the writing one with the same
    /// bytes, when the socket is ready for `wanted`. The end of the session is `asio::error::eof`.
    error_code handshake();
    std::size_t read(asio::mutable_buffer room, error_code& error);
    std::size_t write(asio::const_buffer bytes, error_code& error);

    /// What the last call could not do without.
    asio::socket_base::wait_type wanted() const noexcept;

    /// Whether something was received that `read` has not given yet.
    bool has_input() const;

    /// The socket is closed: what is still under way fails instead of reaching whoever gets its number next.
    void forget_socket() noexcept;

    /// Tells the peer that no more comes. It is not waited for.
    void say_goodbye();

    /// Of bytes whose writing has failed, how many the peer may have got all the same.
    static std::size_t possibly_written(asio::const_buffer bytes) noexcept;

private:
    struct deleter {
        void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
    };

    tls_session(asio::ssl::context& context, tcp_socket& socket);
    void begin_call();
    error_code why_it_failed(int result) const;

    std::unique_ptr<tls_transport> transport_; // of `ssl_`
    std::unique_ptr<SSL, deleter> ssl_;
};

} // namespace causeway::net
