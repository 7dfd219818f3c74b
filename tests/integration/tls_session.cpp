#include "tls_session.hpp"

#include <array>
#include <stdexcept>
#include <utility>

#include <openssl/bio.h>
#include <openssl/x509_vfy.h>

namespace causeway::test {

client_context trust(const std::string& authority_file)
{
    client_context context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    if (!context || SSL_CTX_load_verify_file(context.get(), authority_file.c_str()) != 1)
        throw std::runtime_error("cannot trust " + authority_file);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    return context;
}

tls_session::tls_session(const client_context& context, sender send, receiver receive)
    : context_(context)
    , session_(SSL_new(context.get()), SSL_free)
    , send_(std::move(send))
    , receive_(std::move(receive))
{
    SSL_set_bio(session_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session_.get()), "127.0.0.1");
    repeat([&] { return SSL_connect(session_.get()); });
}

void tls_session::send(std::string_view text)
{
    repeat([&] { return SSL_write(session_.get(), text.data(), static_cast<int>(text.size())); });
}

std::string tls_session::receive()
{
    std::array<char, 16 * 1024> text;
    const int count = repeat([&] { return SSL_read(session_.get(), text.data(), static_cast<int>(text.size())); });
    return {text.data(), static_cast<std::size_t>(count)};
}

// Takes the step until it needs nothing from the other side. Gives what it gave, or 0 when the session has ended.
template <class Step>
int tls_session::repeat(Step step)
{
    for (;;) {
        const int result = step();
        const int why = SSL_get_error(session_.get(), result);
        std::array<char, 16 * 1024> bytes;
        for (int count = 0; (count = BIO_read(SSL_get_wbio(session_.get()), bytes.data(), bytes.size())) > 0;)
            send_({bytes.data(), static_cast<std::size_t>(count)});
        if (result > 0)
            return result;
        if (why == SSL_ERROR_ZERO_RETURN)
            return 0;
        if (why != SSL_ERROR_WANT_READ)
            throw std::runtime_error("the TLS session failed");
        const auto came = receive_();
        if (came.empty())
            throw std::runtime_error("the connection was closed in the middle of a TLS session");
        BIO_write(SSL_get_rbio(session_.get()), came.data(), static_cast<int>(came.size()));
    }
}

} // namespace causeway::test
