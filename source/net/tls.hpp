// TLS for a connection: contexts and sessions, on top of OpenSSL.
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

/// Certificates and rules. A context in use is never changed: to change them, make another context for new connections.
/// A connection keeps its own context alive.
using tls_context = std::shared_ptr<asio::ssl::context>;

/// What a server presents, and which clients it admits. All are names of PEM files.
struct server_tls {
    std::string certificate; ///< followed by the intermediate ones
    std::string private_key; ///< without a passphrase
    std::string client_ca;   ///< a client needs a certificate signed by one of these; empty for any client

    friend bool operator==(const server_tls&, const server_tls&) = default;
};

/// Makes the context of a server: TLS 1.2 and later, HTTP/1.1 in ALPN (RFC 7301), sessions resumed by tickets. All
/// contexts of a process share the keys of their tickets, so a client may resume its session on any event loop, and
/// after its certificate was renewed. A session is not resumed if the certificates of `client_ca` have changed since,
/// or if a certificate with which the client was admitted has expired, including those of authorities: then a full
/// handshake verifies them. Blocks while it reads the files. Throws `std::runtime_error`, which names the file and what
/// is wrong with it.
tls_context make_server_context(const server_tls& settings);

/// When the certificate of a context expires; nothing when it has none.
std::optional<std::chrono::system_clock::time_point> expiry_of(const tls_context& context);

/// Which authorities a client trusts, and what it presents.
struct client_tls {
    std::string ca = {};          ///< a PEM file of certificates; empty for those that the system trusts
    std::string certificate = {}; ///< a PEM file, for a server that asks for one; may be empty
    std::string private_key = {}; ///< for that certificate

    friend bool operator==(const client_tls&, const client_tls&) = default;
};

/// Makes the context of a client of the server `name`, which is a host name or an address: on every connection, the
/// server's certificate must be valid for that name. Blocks and throws like `make_server_context`.
tls_context make_client_context(const client_tls& settings, const std::string& name);

/// Where OpenSSL receives from and sends to on behalf of a session.
struct tls_transport {
    int socket = -1;       ///< -1 when the connection is closed
    int receives_left = 0; ///< until the other connections get their turn
};

/// One end of a TLS session on a non-blocking socket, from which OpenSSL reads and to which it writes. So nothing is
/// copied between two streams, and an idle session keeps no buffer. Belongs to one event loop.
class tls_session {
public:
    tls_session() = default; ///< none: the connection is a plain one

    /// For a server that has accepted `socket`, and for a client that is connected to `name` on it. Throws
    /// `std::bad_alloc`.
    static tls_session accepting(asio::ssl::context& context, tcp_socket& socket);
    static tls_session connecting(asio::ssl::context& context, tcp_socket& socket,
                                  const std::string& name); ///< see above

    explicit operator bool() const noexcept { return ssl_ != nullptr; } ///< whether there is a session

    /// These do what is possible without waiting. After `would_block`, call them again, with the same bytes for a
    /// write, when the socket is ready for `wanted`. The end of the session is `asio::error::eof`.
    error_code handshake();
    std::size_t write(asio::const_buffer bytes, error_code& error); ///< see above; bytes written

    /// The same. Returns how many bytes were read, if there were any: then what ended them is for the next call.
    std::size_t read(asio::mutable_buffer room, error_code& error);

    /// After a `read`, whether it has taken all that there was. Otherwise there may be more, which the socket would not
    /// tell.
    bool is_blocked() const noexcept { return SSL_want(ssl_.get()) != SSL_NOTHING; }

    /// What to wait for after `would_block`.
    asio::socket_base::wait_type wanted() const noexcept;

    /// Whether something was received that `read` has not returned yet.
    bool has_input() const;

    /// The socket is closed: what is still pending fails, instead of reaching the next socket with the same descriptor.
    void forget_socket() noexcept;

    /// Tells the peer that no more will be sent, without waiting for it.
    void say_goodbye();

    /// How many bytes of a failed write the peer may have received nevertheless.
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
    error_code failed_; // to be returned by the next `read`
};

} // namespace causeway::net
