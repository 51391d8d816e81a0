// TLS to a server is described in three languages. libpq: sslmode says what is verified, and
// sslrootcert turns `require` into `verify-ca`. Prisma: sslmode says only whether to encrypt,
// sslaccept says whether to verify; its sslcert is a root certificate, its own certificate is
// sslidentity. PgBouncer: server_tls_*, as libpq's but `require` never verifies.
// All of them end as ServerTls::mode (how to negotiate) and ServerTls::verify (what to check).
#include "config/finish.h"

namespace pgweir::config {
namespace {

using proxy::SslAccept;
using proxy::SslMode;
using proxy::TlsVerify;

constexpr std::string_view kSystem = "system";

Place origin_of(const DatabaseContext& context, std::string_view name) {
  const auto found = context.origins.find(name);
  return found == context.origins.end() ? context.place : found->second;
}

void settle_certificate(DatabaseDraft& draft, const DatabaseContext& context, Report& report) {
  proxy::ServerTls& tls = draft.tls;
  const bool has_prisma_root = context.origins.contains("sslcert") && tls.key.empty();
  if (has_prisma_root && tls.root_cert.empty()) {
    report.add_note(origin_of(context, "sslcert"), "sslcert",
                    "is taken as root certificate, as Prisma does, since there is no sslkey");
    tls.root_cert = std::move(tls.cert);
    tls.cert.clear();
    draft.has_libpq_root = true;
  } else if (tls.cert.empty() != tls.key.empty()) {
    const std::string_view missing = tls.cert.empty() ? "certificate" : "private key";
    const std::string_view present = tls.cert.empty() ? "sslkey" : "sslcert";
    report.add_mistake(origin_of(context, present), present,
                       "has no " + std::string(missing) + " to go with it");
  }
  if (draft.is_cert_withheld) {
    tls.cert.clear();
    tls.key.clear();
    tls.pkcs12.clear();
  }
}

// libpq refuses to trust every authority of the system for less than a checked host name.
void settle_system_root(DatabaseDraft& draft, const DatabaseContext& context, Report& report) {
  if (draft.tls.root_cert != kSystem || draft.tls.accept != SslAccept::Unset) return;
  if (!draft.has_set_sslmode) {
    draft.tls.mode = SslMode::VerifyFull;
  } else if (draft.tls.mode != SslMode::VerifyFull) {
    report.add_mistake(origin_of(context, "sslmode"), "sslmode",
                       "must be verify-full with sslrootcert=system, as in libpq");
  }
}

TlsVerify verify_of(const DatabaseDraft& draft) {
  const proxy::ServerTls& tls = draft.tls;
  const bool is_prisma = tls.accept != SslAccept::Unset || !tls.pkcs12.empty();
  switch (tls.mode) {
    case SslMode::Disable: return TlsVerify::None;
    case SslMode::VerifyFull: return TlsVerify::ChainAndHost;
    case SslMode::VerifyCa:
      return tls.accept == SslAccept::Strict ? TlsVerify::ChainAndHost : TlsVerify::Chain;
    case SslMode::Require:
      if (!is_prisma && draft.has_libpq_root) return TlsVerify::Chain;
      break;
    case SslMode::Allow:
    case SslMode::Prefer: break;
  }
  return tls.accept == SslAccept::Strict ? TlsVerify::ChainAndHost : TlsVerify::None;
}

void check_protocol(const proxy::ServerTls& tls, const DatabaseContext& context, Report& report) {
  const bool is_weak = tls.mode < SslMode::Require;
  if (tls.negotiation == proxy::TlsNegotiation::Direct && is_weak) {
    report.add_mistake(origin_of(context, "sslnegotiation"), "sslnegotiation",
                       "direct needs sslmode=require, verify-ca or verify-full");
  }
  if (tls.version_max != proxy::TlsVersion::Any && tls.version_min > tls.version_max) {
    report.add_mistake(origin_of(context, "ssl_max_protocol_version"), "ssl_max_protocol_version",
                       "is below the lowest version allowed");
  }
}

}  // namespace

void settle_tls(DatabaseDraft& draft, const DatabaseContext& context, Report& report) {
  settle_certificate(draft, context, report);
  settle_system_root(draft, context, report);
  proxy::ServerTls& tls = draft.tls;
  tls.verify = verify_of(draft);
  check_protocol(tls, context, report);
  if (tls.verify == TlsVerify::None || !tls.root_cert.empty()) return;
  tls.root_cert = kSystem;
  if (tls.accept == SslAccept::Unset) {
    report.add_note(context.place, "sslrootcert",
                    "is not set: the server's certificate is checked against the authorities of "
                    "the operating system");
  }
}

}  // namespace pgweir::config
