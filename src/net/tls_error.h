// OpenSSL's errors in plain words, for logs and for the text that a client sees.
#pragma once

#include <string>

struct ssl_st;

namespace pgweir::net {

// Why the last call on this connection failed; empties this thread's error queue.
// peer: "the server" or "the client". host: the name that was verified, or empty.
std::string describe_tls_failure(const ssl_st& ssl, const std::string& peer,
                                 const std::string& host);

// What the peer's alert means.
std::string describe_tls_alert(unsigned alert, const std::string& peer);
// An alert's own name, as "bad record mac".
std::string name_tls_alert(unsigned alert);

// Why setting something up failed, as OpenSSL puts it ("no start line"); empties the queue.
std::string take_openssl_error();

}  // namespace pgweir::net
