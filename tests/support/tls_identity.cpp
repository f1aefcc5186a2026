/// Makes a key and a certificate with libcrypto.
#include "support/tls_identity.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace llmroute::test {

namespace {

constexpr long day = 24 * 60 * 60;

void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(what);
}

void add_extension(X509* certificate, int id, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value.c_str());
  require(extension != nullptr, "certificate extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void add_name(X509_NAME* to, const char* name) {
  const auto* text = reinterpret_cast<const unsigned char*>(name);
  X509_NAME_add_entry_by_txt(to, "CN", MBSTRING_ASC, text, -1, -1, 0);
}

using Validity = TlsIdentity::Validity;

X509* make_certificate(EVP_PKEY* key, const std::string& name, Validity validity,
                       EVP_PKEY* signer) {
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), validity == Validity::to_come ? day : -2 * day);
  X509_gmtime_adj(X509_getm_notAfter(certificate), validity == Validity::expired ? -day : 2 * day);
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  add_name(subject, "scripted upstream");
  if (signer == key) {
    X509_set_issuer_name(certificate, subject);
  } else {
    add_name(X509_get_issuer_name(certificate), "scripted signer");
  }
  add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate, NID_subject_alt_name, name);
  require(X509_sign(certificate, signer, EVP_sha256()) > 0, "certificate signature");
  return certificate;
}

std::string taken(BIO* memory) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory, &bytes);
  std::string pem(bytes, static_cast<std::size_t>(size));
  BIO_free(memory);
  return pem;
}

std::string as_pem(X509* certificate) {
  BIO* memory = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(memory, certificate);
  return taken(memory);
}

std::string as_pem(EVP_PKEY* key) {
  BIO* memory = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(memory, key, nullptr, nullptr, 0, nullptr, nullptr);
  return taken(memory);
}

}  // namespace

TlsIdentity::TlsIdentity(const std::string& name, Validity validity, const TlsIdentity* signer)
    : context_(SSL_CTX_new(TLS_server_method())), key_(EVP_EC_gen("P-256")) {
  require(context_ != nullptr && key_ != nullptr, "key");
  X509* certificate =
      make_certificate(key_, name, validity, signer != nullptr ? signer->key_ : key_);
  require(SSL_CTX_use_certificate(context_, certificate) == 1, "use certificate");
  require(SSL_CTX_use_PrivateKey(context_, key_) == 1, "use key");
  file_ = std::make_unique<TemporaryFile>(as_pem(certificate));
  key_file_ = std::make_unique<TemporaryFile>(as_pem(key_));
  X509_free(certificate);
}

TlsIdentity::~TlsIdentity() {
  SSL_CTX_free(context_);
  EVP_PKEY_free(key_);
}

void TlsIdentity::demand(const TlsIdentity& client) {
  const char* file = client.certificate_file().c_str();
  require(SSL_CTX_load_verify_locations(context_, file, nullptr) == 1, "trust the client");
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

void TlsIdentity::speak_at_most(int version) {
  SSL_CTX_set_min_proto_version(context_, 0);
  SSL_CTX_set_max_proto_version(context_, version);
  SSL_CTX_set_cipher_list(context_, "DEFAULT@SECLEVEL=0");  // else it would not even begin
}

}  // namespace llmroute::test
