// TLS for clients that block: what it makes of bytes, without a socket.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace causeway::test {

/// What clients share: whom they trust. Throws `std::runtime_error`.
using client_context = std::shared_ptr<SSL_CTX>;
client_context trust(const std::string& authority_file);

/// The client's side of a session with 127.0.0.1. The certificate must be for that and from somebody whom the context
/// trusts. Each call throws `std::runtime_error` when the session fails.
class tls_session {
public:
    /// Sends bytes, and gives bytes that have come; none when the connection has ended. Outlive the session.
    using sender = std::function<void(std::string_view)>;
    using receiver = std::function<std::string()>;

    tls_session(const client_context& context, sender send, receiver receive);

    void send(std::string_view text);

    /// What came next, or nothing when the other side has ended the session. Throws when only the connection has
    /// ended: something may be missing.
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
