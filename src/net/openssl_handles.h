// Owners for OpenSSL's objects. Included by .cc files only: our headers forward-declare what they
// name, so that nobody else pulls OpenSSL in.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

namespace pgweir::net {

template <auto Release>
struct Releaser {
  template <class T>
  void operator()(T* object) const {
    Release(object);
  }
};

using BioHandle = std::unique_ptr<BIO, Releaser<BIO_free>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using CertificateHandle = std::unique_ptr<X509, Releaser<X509_free>>;
using ExtensionHandle = std::unique_ptr<X509_EXTENSION, Releaser<X509_EXTENSION_free>>;
using Pkcs12Handle = std::unique_ptr<PKCS12, Releaser<PKCS12_free>>;

}  // namespace pgweir::net
