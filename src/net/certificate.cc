#include "net/certificate.h"

#include <array>

#include "net/openssl_handles.h"

namespace pgweir::net {

base::ByteBuffer certificate_hash(const x509_st& certificate) {
  int hash = NID_undef;
  if (X509_get_signature_info(const_cast<X509*>(&certificate), &hash, nullptr, nullptr, nullptr) ==
          0 ||
      hash == NID_undef) {
    return {};
  }
  if (hash == NID_md5 || hash == NID_sha1) hash = NID_sha256;
  const EVP_MD* function = EVP_get_digestbynid(hash);
  if (function == nullptr) return {};
  base::ByteBuffer digest(EVP_MAX_MD_SIZE);
  unsigned bytes = 0;
  if (X509_digest(&certificate, function, reinterpret_cast<unsigned char*>(digest.data()),
                  &bytes) != 1) {
    return {};
  }
  digest.resize(bytes);
  return digest;
}

std::string common_name(const x509_st& certificate) {
  const X509_NAME* subject = X509_get_subject_name(&certificate);
  const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index < 0) return {};
  unsigned char* text = nullptr;
  const int bytes =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
  if (bytes < 0) return {};
  std::string name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(bytes));
  OPENSSL_free(text);
  return name.find('\0') == std::string::npos ? name : std::string();
}

}  // namespace pgweir::net
