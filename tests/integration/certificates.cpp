#include "certificates.hpp"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace causeway::test {
namespace {

constexpr long version_3 = 2; // it counts from zero

template <class Result>
Result checked(Result result)
{
    if (!result)
        throw std::runtime_error("OpenSSL cannot make a certificate");
    return result;
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    auto* const extension = checked(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

void sign(X509* certificate, EVP_PKEY* key) { checked(X509_sign(certificate, key, EVP_sha256())); }

} // namespace

authority::authority(const std::string& name, std::chrono::seconds valid_for)
    : key_(EVP_EC_gen("P-256"), EVP_PKEY_free)
    , certificate_(nullptr, X509_free)
{
    certificate_ = make(name, key_.get(), valid_for);
    extend(certificate_.get(), certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
    sign(certificate_.get(), key_.get());
    self_ = write("authority", key_.get(), certificate_.get());
}

identity authority::issue(const std::string& alternative_names, std::chrono::seconds valid_for)
{
    const key_pointer key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const auto certificate = make("issued", key.get(), valid_for);
    extend(certificate.get(), certificate_.get(), NID_subject_alt_name, alternative_names);
    sign(certificate.get(), key_.get());
    return write(std::to_string(serial_), key.get(), certificate.get());
}

authority::certificate_pointer authority::make(const std::string& name, EVP_PKEY* key, std::chrono::seconds valid_for)
{
    certificate_pointer certificate(checked(X509_new()), X509_free);
    X509_set_version(certificate.get(), version_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -24L * 60 * 60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), static_cast<long>(valid_for.count()));
    auto* const subject = X509_get_subject_name(certificate.get());
    const auto* const text = reinterpret_cast<const unsigned char*>(name.c_str());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_issuer_name(certificate.get(), certificate_ ? X509_get_subject_name(certificate_.get()) : subject);
    X509_set_pubkey(certificate.get(), key);
    return certificate;
}

identity authority::write(const std::string& name, EVP_PKEY* key, X509* certificate)
{
    const identity files{directory_.path() + "/" + name + ".pem", directory_.path() + "/" + name + ".key"};
    using file = std::unique_ptr<BIO, decltype(&BIO_free)>;
    const file public_part(checked(BIO_new_file(files.certificate.c_str(), "w")), BIO_free);
    const file private_part(checked(BIO_new_file(files.private_key.c_str(), "w")), BIO_free);
    checked(PEM_write_bio_X509(public_part.get(), certificate));
    checked(PEM_write_bio_PrivateKey(private_part.get(), key, nullptr, nullptr, 0, nullptr, nullptr));
    return files;
}

} // namespace causeway::test
