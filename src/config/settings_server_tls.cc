// TLS on the way to servers: libpq's and Prisma's names for one database, PgBouncer's for all.
#include "config/fields.h"
#include "config/settings.h"

namespace pgweir::config {
namespace {

using D = proxy::DatabaseOptions;
using T = proxy::ServerTls;
using enum Reload;

// libpq's names carry a rule of libpq: a root certificate is there to be used.
constexpr DatabaseField libpq_root() {
  DatabaseField field = at<&D::tls, &T::root_cert>();
  field.parse = [](const Input& input, DatabaseDraft& to) {
    to.has_libpq_root = true;
    return Codec<std::string>::parse(input, to.tls.root_cert);
  };
  return field;
}

constexpr DatabaseField ssl_mode() {
  DatabaseField field = at<&D::tls, &T::mode>();
  field.parse = [](const Input& input, DatabaseDraft& to) {
    to.has_set_sslmode = true;
    return Codec<proxy::SslMode>::parse(input, to.tls.mode);
  };
  return field;
}

// disable: the certificate stays at home; allow and require send it when the server asks.
constexpr DatabaseField certificate_mode() {
  return {
      .parse = [](const Input& input, DatabaseDraft& to) -> Complaint {
        to.is_cert_withheld = is_same_name(input.text, "disable");
        for (const std::string_view known : {"disable", "allow", "require"}) {
          if (is_same_name(input.text, known)) return std::nullopt;
        }
        return complain_choice(input.text, {"disable", "allow", "require"});
      },
      .render = [](const D&) { return std::string(); },
      .is_equal = [](const D& left, const D& right) { return left.tls.cert == right.tls.cert; },
      .type = [] { return std::string("disable | allow | require"); },
  };
}

constexpr std::array kServerTls{
    Setting{.name = "sslmode",
            .reload = NewConnections,
            .url = {"sslmode"},
            .toml = {"sslmode"},
            .database = ssl_mode(),
            .doc = "Whether connections to the server are encrypted and to whom."},
    Setting{.name = "sslaccept",
            .reload = NewConnections,
            .url = {"sslaccept"},
            .toml = {"sslaccept"},
            .database = at<&D::tls, &T::accept>(),
            .doc = "Prisma's rule for certificates: strict checks chain and host name."},
    Setting{.name = "sslnegotiation",
            .reload = NewConnections,
            .url = {"sslnegotiation"},
            .toml = {"sslnegotiation"},
            .database = at<&D::tls, &T::negotiation>(),
            .doc = "direct: TLS from the first byte, which PostgreSQL 17 and later understand."},
    Setting{
        .name = "sslrootcert",
        .reload = NewConnections,
        .url = {"sslrootcert"},
        .toml = {"sslrootcert"},
        .database = libpq_root(),
        .doc = "File of trusted authorities, or system; with sslmode=require it makes verify-ca."},
    Setting{.name = "sslcert",
            .reload = NewConnections,
            .url = {"sslcert"},
            .toml = {"sslcert"},
            .database = at<&D::tls, &T::cert>(),
            .doc = "File of our certificate; without sslkey, Prisma's root certificate."},
    Setting{.name = "sslkey",
            .reload = NewConnections,
            .url = {"sslkey"},
            .toml = {"sslkey"},
            .database = at<&D::tls, &T::key>(),
            .doc = "File of the private key to sslcert."},
    Setting{.name = "sslidentity",
            .reload = NewConnections,
            .url = {"sslidentity"},
            .toml = {"sslidentity"},
            .database = at<&D::tls, &T::pkcs12>(),
            .doc = "PKCS #12 file with our certificate and its key, as in Prisma."},
    Setting{.name = "sslpassword",
            .reload = NewConnections,
            .url = {"sslpassword"},
            .toml = {"sslpassword"},
            .database = at<&D::tls, &T::key_password>(),
            .doc = "Password of sslkey or sslidentity."},
    Setting{.name = "sslcertmode",
            .reload = NewConnections,
            .url = {"sslcertmode"},
            .toml = {"sslcertmode"},
            .database = certificate_mode(),
            .doc = "disable: our certificate is not sent although sslcert names one."},
    Setting{.name = "sslcrl",
            .reload = NewConnections,
            .url = {"sslcrl"},
            .toml = {"sslcrl"},
            .database = at<&D::tls, &T::crl>(),
            .doc = "File of revoked certificates."},
    Setting{.name = "sslcrldir",
            .reload = NewConnections,
            .url = {"sslcrldir"},
            .toml = {"sslcrldir"},
            .database = at<&D::tls, &T::crl_directory>(),
            .doc = "Directory of revoked certificates."},
    Setting{.name = "sslsni",
            .reload = NewConnections,
            .url = {"sslsni"},
            .toml = {"sslsni"},
            .database = at<&D::tls, &T::has_sni>(),
            .doc = "Whether the host name is sent in the TLS handshake."},
    Setting{.name = "ssl_min_protocol_version",
            .reload = NewConnections,
            .url = {"ssl_min_protocol_version"},
            .toml = {"ssl_min_protocol_version"},
            .database = at<&D::tls, &T::version_min>(),
            .doc = "Lowest version of TLS to the server."},
    Setting{.name = "ssl_max_protocol_version",
            .reload = NewConnections,
            .url = {"ssl_max_protocol_version"},
            .toml = {"ssl_max_protocol_version"},
            .database = at<&D::tls, &T::version_max>(),
            .doc = "Highest version of TLS to the server."},
    Setting{.name = "server_tls_sslmode",
            .reload = NewConnections,
            .toml = {"server_tls_sslmode"},
            .ini = {"server_tls_sslmode"},
            .process = database_default<&D::tls, &T::mode>(),
            .doc = "sslmode of all databases that do not set it themselves."},
    Setting{.name = "server_tls_ca_file",
            .reload = NewConnections,
            .toml = {"server_tls_ca_file"},
            .ini = {"server_tls_ca_file"},
            .process = database_default<&D::tls, &T::root_cert>(),
            .doc = "File of trusted authorities of all databases; used by the verify- modes only."},
    Setting{.name = "server_tls_cert_file",
            .reload = NewConnections,
            .toml = {"server_tls_cert_file"},
            .ini = {"server_tls_cert_file"},
            .process = database_default<&D::tls, &T::cert>(),
            .doc = "File of our certificate for all databases."},
    Setting{.name = "server_tls_key_file",
            .reload = NewConnections,
            .toml = {"server_tls_key_file"},
            .ini = {"server_tls_key_file"},
            .process = database_default<&D::tls, &T::key>(),
            .doc = "File of the private key to server_tls_cert_file."},
    Setting{.name = "server_tls_protocols",
            .reload = NewConnections,
            .toml = {"server_tls_protocols"},
            .ini = {"server_tls_protocols"},
            .process = protocols<&Config::database_defaults, &D::tls>(),
            .doc = "Versions of TLS to all servers: secure, all, or a list."},
    Setting{.name = "server_tls_ciphers",
            .reload = NewConnections,
            .toml = {"server_tls_ciphers"},
            .ini = {"server_tls_ciphers"},
            .process = database_default<&D::tls, &T::ciphers>(),
            .doc = "OpenSSL's cipher list up to TLS 1.2; empty or default = OpenSSL's own."},
    Setting{.name = "server_tls13_ciphers",
            .reload = NewConnections,
            .toml = {"server_tls13_ciphers"},
            .ini = {"server_tls13_ciphers"},
            .process = database_default<&D::tls, &T::ciphers_tls13>(),
            .doc = "Cipher suites of TLS 1.3; empty = OpenSSL's own."},
};

}  // namespace

SettingGroup server_tls_settings() { return {"TLS to servers", kServerTls}; }

}  // namespace pgweir::config
