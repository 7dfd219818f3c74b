#include "net/tls.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <fmt/format.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <limits>
#include <new>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace causeway::net {
namespace {

// OpenSSL's reasons why a certificate is rejected.
class certificate_category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "certificate"; }
    std::string message(int result) const override
    {
        return fmt::format("the certificate is not accepted: {}", X509_verify_cert_error_string(result));
    }
};

const certificate_category of_certificates;

[[noreturn]] void fail(std::string_view file, std::string_view what)
{
    throw std::runtime_error(fmt::format("{}: {}", file, what));
}

asio::ssl::context make_context(asio::ssl::context::method method)
{
    asio::ssl::context context(method);
    auto* const native = context.native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION);
    // A write that would block is repeated with the same bytes, although perhaps at another address and followed by
    // more. An idle session keeps no buffers.
    SSL_CTX_set_mode(native,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(native, 1); // a record costs one read, not two
    return context;
}

void show_certificate(asio::ssl::context& context, const std::string& certificate, const std::string& private_key)
{
    error_code error;
    // Otherwise OpenSSL would ask for a passphrase on the terminal.
    context.set_password_callback([](std::size_t, asio::ssl::context::password_purpose) { return std::string(); });
    if (context.use_certificate_chain_file(certificate, error))
        fail(certificate, "cannot be used as a certificate: " + error.message());
    if (context.use_private_key_file(private_key, asio::ssl::context::pem, error))
        fail(private_key, "cannot be used as a private key: " + error.message() +
                              "; it must be a PEM file without a passphrase, and belong to " + certificate);
}

void trust(asio::ssl::context& context, const std::string& file)
{
    error_code error;
    if (context.load_verify_file(file, error))
        fail(file, "cannot be used as certificates to trust: " + error.message());
}

// A certificate without a valid time counts as expired.
std::time_t expiry_of(const X509* certificate)
{
    std::tm time{};
    return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) == 1 ? ::timegm(&time) : 0;
}

// The keys of this process for its session tickets.
const std::vector<unsigned char>& ticket_keys(SSL_CTX* context)
{
    static const auto keys = [context] {
        const auto size = SSL_CTX_get_tlsext_ticket_keys(context, nullptr, 0);
        std::vector<unsigned char> random(static_cast<std::size_t>(size));
        if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
            throw std::runtime_error("OpenSSL has no random numbers");
        return random;
    }();
    return keys;
}

// A session is resumed only where its client would have been admitted with the same certificates.
std::vector<unsigned char> session_context(const std::string& client_ca)
{
    std::ifstream file(client_ca, std::ios::binary);
    const std::string content(std::istreambuf_iterator<char>(file), {});
    std::vector<unsigned char> digest(EVP_MAX_MD_SIZE);
    unsigned size = 0;
    EVP_Digest(content.data(), content.size(), digest.data(), &size, EVP_sha256(), nullptr);
    digest.resize(size);
    return digest;
}

// A ticket records when the first of the certificates with which its client was admitted expires: its own, and those
// that have signed it.
int limit_ticket(SSL* ssl, void*)
{
    const auto* const chain = SSL_get0_verified_chain(ssl);
    if (chain == nullptr) // the client needs none, or has resumed a session, which records it already
        return 1;
    auto expiry = std::numeric_limits<std::time_t>::max();
    for (int at = 0; at != sk_X509_num(chain); ++at)
        expiry = std::min(expiry, expiry_of(sk_X509_value(chain, at)));
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), &expiry, sizeof expiry);
}

bool has_expired(SSL_SESSION* session)
{
    void* data = nullptr;
    std::size_t size = 0;
    std::time_t expiry{};
    SSL_SESSION_get0_ticket_appdata(session, &data, &size);
    if (size != sizeof expiry)
        return false;
    std::memcpy(&expiry, data, sizeof expiry);
    return expiry <= std::time(nullptr);
}

// Without its ticket a client is asked for its certificate, which is then verified.
SSL_TICKET_RETURN judge_ticket(SSL*, SSL_SESSION* session, const unsigned char*, std::size_t, SSL_TICKET_STATUS status,
                               void*)
{
    const bool usable = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;
    if (!usable || has_expired(session))
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

void resume_sessions(SSL_CTX* context, const std::string& client_ca)
{
    auto keys = ticket_keys(context);
    SSL_CTX_set_tlsext_ticket_keys(context, keys.data(), static_cast<long>(keys.size()));
    const auto scope = session_context(client_ca);
    SSL_CTX_set_session_id_context(context, scope.data(), static_cast<unsigned>(scope.size()));
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); // the client keeps its ticket
    SSL_CTX_set_session_ticket_cb(context, limit_ticket, judge_ticket, nullptr);
}

// A client that offers only other protocols is refused (RFC 7301 §3.2).
int choose_http_1_1(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void*)
{
    static constexpr unsigned char http_1_1[] = "\x08http/1.1";
    unsigned char* found = nullptr;
    const auto outcome = SSL_select_next_proto(&found, size, http_1_1, sizeof http_1_1 - 1, offered, offered_size);
    *chosen = found;
    return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

tls_transport& transport_of(BIO* bio) { return *static_cast<tls_transport*>(BIO_get_data(bio)); }

int again_later(BIO* bio, ssize_t count, int direction)
{
    BIO_clear_retry_flags(bio);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_flags(bio, direction | BIO_FLAGS_SHOULD_RETRY);
    return static_cast<int>(count);
}

// OpenSSL's own socket BIO would end the process with SIGPIPE when the peer is gone.
int send_some(BIO* bio, const char* bytes, int size)
{
    return again_later(bio, ::send(transport_of(bio).socket, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL),
                       BIO_FLAGS_WRITE);
}

int receive_some(BIO* bio, char* room, int size)
{
    auto& transport = transport_of(bio);
    if (transport.receives_left == 0) {
        errno = EAGAIN;
        return again_later(bio, -1, BIO_FLAGS_READ);
    }
    --transport.receives_left;
    return again_later(bio, ::recv(transport.socket, room, static_cast<std::size_t>(size), 0), BIO_FLAGS_READ);
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO* make_bio(tls_transport& transport)
{
    static const auto* const method = [] {
        auto* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
        BIO_meth_set_write(made, send_some);
        BIO_meth_set_read(made, receive_some);
        BIO_meth_set_ctrl(made, control);
        return made;
    }();
    auto* const bio = BIO_new(method);
    if (bio == nullptr)
        throw std::bad_alloc();
    BIO_set_data(bio, &transport);
    BIO_set_init(bio, 1);
    return bio;
}

bool is_address(const std::string& name)
{
    error_code not_one;
    asio::ip::make_address(name, not_one);
    return !not_one;
}

void expect_name(SSL_CTX* context, const std::string& name)
{
    auto* const rules = SSL_CTX_get0_param(context);
    const bool done = is_address(name) ? X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str()) == 1
                                       : X509_VERIFY_PARAM_set1_host(rules, name.data(), name.size()) == 1;
    if (!done) // OpenSSL knows no zones of IPv6 addresses
        fail(name, "cannot be the name or address in a certificate");
}

int clamped(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max())); }

} // namespace

tls_context make_server_context(const server_tls& settings)
{
    auto context = make_context(asio::ssl::context::tls_server);
    show_certificate(context, settings.certificate, settings.private_key);
    if (!settings.client_ca.empty()) {
        trust(context, settings.client_ca);
        SSL_CTX_set_client_CA_list(context.native_handle(), SSL_load_client_CA_file(settings.client_ca.c_str()));
        context.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
    }
    resume_sessions(context.native_handle(), settings.client_ca);
    SSL_CTX_set_alpn_select_cb(context.native_handle(), choose_http_1_1, nullptr);
    return std::make_shared<asio::ssl::context>(std::move(context));
}

tls_context make_client_context(const client_tls& settings, const std::string& name)
{
    auto context = make_context(asio::ssl::context::tls_client);
    if (settings.ca.empty())
        context.set_default_verify_paths();
    else
        trust(context, settings.ca);
    if (!settings.certificate.empty())
        show_certificate(context, settings.certificate, settings.private_key);
    context.set_verify_mode(asio::ssl::verify_peer);
    expect_name(context.native_handle(), name);
    return std::make_shared<asio::ssl::context>(std::move(context));
}

std::optional<std::chrono::system_clock::time_point> expiry_of(const tls_context& context)
{
    const auto* const shown = context ? SSL_CTX_get0_certificate(context->native_handle()) : nullptr;
    if (shown == nullptr)
        return std::nullopt;
    return std::chrono::system_clock::from_time_t(expiry_of(shown));
}

tls_session::tls_session(asio::ssl::context& context, tcp_socket& socket)
    : transport_(std::make_unique<tls_transport>(tls_transport{socket.native_handle()}))
    , ssl_(SSL_new(context.native_handle()))
{
    if (!ssl_)
        throw std::bad_alloc();
    auto* const bio = make_bio(*transport_);
    SSL_set_bio(ssl_.get(), bio, bio); // takes ownership
}

tls_session tls_session::accepting(asio::ssl::context& context, tcp_socket& socket)
{
    tls_session session(context, socket);
    SSL_set_accept_state(session.ssl_.get());
    return session;
}

tls_session tls_session::connecting(asio::ssl::context& context, tcp_socket& socket, const std::string& name)
{
    tls_session session(context, socket);
    SSL_set_connect_state(session.ssl_.get());
    if (!is_address(name)) // RFC 6066 §3
        SSL_set_tlsext_host_name(session.ssl_.get(), name.c_str());
    return session;
}

// TLS protocol messages, such as key updates, are read until something else arrives. A peer that sends nothing else is
// read in turns like any other. A record may arrive in two pieces.
void tls_session::begin_call()
{
    ERR_clear_error();
    transport_->receives_left = 2;
}

error_code tls_session::handshake()
{
    begin_call();
    const auto error = why_it_failed(SSL_do_handshake(ssl_.get()));
    const auto verdict = SSL_get_verify_result(ssl_.get());
    if (error && error != asio::error::would_block && verdict != X509_V_OK)
        return {static_cast<int>(verdict), of_certificates};
    return error;
}

// OpenSSL returns one record at a time, and takes as many from the socket as there are.
std::size_t tls_session::read(asio::mutable_buffer room, error_code& error)
{
    begin_call();
    std::size_t count = 0;
    error = std::exchange(failed_, {});
    while (!error && room.size() != 0) {
        const auto more = SSL_read(ssl_.get(), room.data(), clamped(room.size()));
        error = why_it_failed(more);
        if (!error) {
            room += static_cast<std::size_t>(more);
            count += static_cast<std::size_t>(more);
        }
    }
    if (count == 0)
        return 0;
    if (error != asio::error::would_block)
        failed_ = error;
    error = {};
    return count;
}

std::size_t tls_session::write(asio::const_buffer bytes, error_code& error)
{
    begin_call();
    const auto count = SSL_write(ssl_.get(), bytes.data(), clamped(bytes.size()));
    error = why_it_failed(count);
    return error ? 0 : static_cast<std::size_t>(count);
}

error_code tls_session::why_it_failed(int result) const
{
    if (result > 0)
        return {};
    const auto system_error = errno;
    switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return asio::error::would_block;
    case SSL_ERROR_ZERO_RETURN:
        return asio::error::eof;
    case SSL_ERROR_SYSCALL:
        if (system_error != 0)
            return {system_error, boost::system::system_category()};
        return asio::error::eof;
    default:
        break;
    }
    const auto reason = ERR_get_error();
    if (reason == 0) // it was reported before
        return asio::error::eof;
    return {static_cast<int>(reason), asio::error::get_ssl_category()};
}

asio::socket_base::wait_type tls_session::wanted() const noexcept
{
    return SSL_want_write(ssl_.get()) ? asio::socket_base::wait_write : asio::socket_base::wait_read;
}

bool tls_session::has_input() const { return SSL_has_pending(ssl_.get()) == 1; }

void tls_session::forget_socket() noexcept { transport_->socket = -1; }

void tls_session::say_goodbye()
{
    begin_call();
    if (SSL_in_init(ssl_.get()) == 0)
        SSL_shutdown(ssl_.get());
}

std::size_t tls_session::possibly_written(asio::const_buffer bytes) noexcept
{
    return std::min<std::size_t>(bytes.size(), SSL3_RT_MAX_PLAIN_LENGTH);
}

} // namespace causeway::net
