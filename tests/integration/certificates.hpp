// Certificates for tests, made on demand.
#pragma once

#include "../temporary.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <memory>
#include <string>

namespace causeway::test {

/// Names of PEM files.
struct identity {
    std::string certificate;
    std::string private_key;
};

/// Signs certificates. Its files exist as long as it does. Throws `std::runtime_error`.
class authority {
public:
    /// Its own certificate is valid for `valid_for` from now.
    explicit authority(const std::string& name, std::chrono::seconds valid_for = std::chrono::hours(1));

    /// Its own certificate, for clients that trust it.
    const std::string& certificate() const noexcept { return self_.certificate; }

    /// A certificate for `alternative_names`, as OpenSSL writes them ("DNS:localhost,IP:127.0.0.1"), valid for
    /// `valid_for` from now.
    identity issue(const std::string& alternative_names, std::chrono::seconds valid_for = std::chrono::hours(1));

private:
    using key_pointer = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
    using certificate_pointer = std::unique_ptr<X509, decltype(&X509_free)>;

    identity write(const std::string& name, EVP_PKEY* key, X509* certificate);
    certificate_pointer make(const std::string& name, EVP_PKEY* key, std::chrono::seconds valid_for);

    temporary_directory directory_;
    key_pointer key_;
    certificate_pointer certificate_;
    identity self_;
    long serial_ = 0;
};

} // namespace causeway::test
