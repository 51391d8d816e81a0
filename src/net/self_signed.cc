#include "net/self_signed.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "net/descriptor.h"
#include "net/openssl_handles.h"
#include "net/socket.h"
#include "net/tls_error.h"

namespace pgweir::net {
namespace {

constexpr long kSecondsOfTenYears = 10L * 365 * 24 * 3600;

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.front() == '\0' ? "localhost" : name.data();
}

// The kernel allows names that a certificate cannot hold as a DNS name; those are left out.
bool is_dns_name(const std::string& name) {
  return name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
         std::string::npos;
}

bool add_extension(X509& certificate, int kind, const std::string& value) {
  const ExtensionHandle extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()));
  return extension != nullptr && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

bool set_serial(X509& certificate) {
  std::uint64_t serial = 0;
  return RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial)) == 1 &&
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(&certificate), serial >> 1U) == 1;
}

bool set_names(X509& certificate) {
  const std::string host = host_name();
  // A common name holds 64 characters at most.
  const std::string common = fmt::format("pgweir on {}", host).substr(0, 64);
  X509_NAME* subject = X509_get_subject_name(&certificate);
  std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";
  if (host != "localhost" && is_dns_name(host)) names += ",DNS:" + host;
  return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1,
                                    0) == 1 &&
         X509_set_issuer_name(&certificate, subject) == 1 &&
         add_extension(certificate, NID_subject_alt_name, names);
}

CertificateHandle make_certificate(EVP_PKEY& key) {
  CertificateHandle certificate(X509_new());
  X509* made = certificate.get();
  const bool is_made = made != nullptr && X509_set_version(made, X509_VERSION_3) == 1 &&
                       set_serial(*made) &&
                       // An hour back, for clients whose clock is behind ours.
                       X509_gmtime_adj(X509_getm_notBefore(made), -3600) != nullptr &&
                       X509_gmtime_adj(X509_getm_notAfter(made), kSecondsOfTenYears) != nullptr &&
                       X509_set_pubkey(made, &key) == 1 && set_names(*made) &&
                       // An authority of its own, so that verify-full works with it as root file.
                       add_extension(*made, NID_basic_constraints, "critical,CA:TRUE") &&
                       X509_sign(made, &key, EVP_sha256()) > 0;
  return is_made ? std::move(certificate) : nullptr;
}

std::string text_of(BIO& memory) {
  char* text = nullptr;
  const long bytes = BIO_get_mem_data(&memory, &text);
  return {text, static_cast<std::size_t>(bytes)};
}

base::Error cannot_write(const std::string& path) {
  return {.code = base::ErrorCode::System,
          .context = fmt::format("cannot write {}: {}", path, describe_error(errno))};
}

// Written beside and renamed, so that nobody ever reads half a file.
base::Status write_file(const std::string& path, const std::string& text, mode_t mode) {
  const std::string draft = fmt::format("{}.{}", path, ::getpid());
  const Descriptor file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!file.is_open()) return cannot_write(draft);
  const bool is_written =
      ::fchmod(file.get(), mode) == 0 &&
      ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(file.get()) == 0 && ::rename(draft.c_str(), path.c_str()) == 0;
  if (is_written) return base::success();
  base::Error error = cannot_write(path);
  static_cast<void>(::unlink(draft.c_str()));
  return error;
}

bool is_usable(const CertificateFiles& files) {
  const BioHandle certificate_input(BIO_new_file(files.certificate_file.c_str(), "r"));
  const BioHandle key_input(BIO_new_file(files.key_file.c_str(), "r"));
  if (certificate_input == nullptr || key_input == nullptr) return false;
  const CertificateHandle certificate(
      PEM_read_bio_X509(certificate_input.get(), nullptr, nullptr, nullptr));
  const KeyHandle key(PEM_read_bio_PrivateKey(key_input.get(), nullptr, nullptr, nullptr));
  return certificate != nullptr && key != nullptr &&
         X509_check_private_key(certificate.get(), key.get()) == 1 &&
         X509_cmp_current_time(X509_get0_notAfter(certificate.get())) > 0;
}

}  // namespace

base::Result<CertificateFiles> ensure_self_signed(const std::string& directory) {
  CertificateFiles files{.certificate_file = directory + "/pgweir.crt",
                         .key_file = directory + "/pgweir.key"};
  const bool exists = is_usable(files);
  static_cast<void>(take_openssl_error());  // What is_usable found missing is no error.
  if (exists) return files;
  const KeyHandle key(EVP_EC_gen("P-256"));
  const CertificateHandle certificate(key == nullptr ? nullptr : make_certificate(*key));
  const BioHandle certificate_text(BIO_new(BIO_s_mem()));
  const BioHandle key_text(BIO_new(BIO_s_mem()));
  if (certificate == nullptr ||
      PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1 ||
      PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return base::Error{.context = "cannot make a certificate: " + take_openssl_error()};
  }
  TRY(write_file(files.key_file, text_of(*key_text), 0600));
  TRY(write_file(files.certificate_file, text_of(*certificate_text), 0644));
  files.is_new = true;
  return files;
}

}  // namespace pgweir::net
