// TLS for blocking clients, without a socket.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace causeway::test {

/// What clients share: the authorities that they trust. Throws `std::runtime_error`.
using client_context = std::shared_ptr<SSL_CTX>;
client_context trust(const std::string& authority_file);

/// The client's side of a session with 127.0.0.1. The certificate must be for that address, from an authority that the
/// context trusts. Each call throws `std::runtime_error` when the session fails.
class tls_session {
public:
    /// Send bytes, and return received bytes; none when the connection has ended. They outlive the session.
    using sender = std::function<void(std::string_view)>;
    using receiver = std::function<std::string()>;

    tls_session(const client_context& context, sender send, receiver receive);

    void send(std::string_view text);

    /// What was received next, or nothing when the other side has ended the session. Throws when only the connection
    /// has ended: data may be missing.
    std::string receive();

private:
    template <class Step>
    int repeat(Step step);

    client_context context_;
    std::unique_ptr<SSL, decltype(&SSL_free)> session_;
    sender send_;
    receiver receive_;
};

} // namespace causeway::test
