// Where servers are and how they are logged in to.
#include "config/fields.h"
#include "config/settings.h"

namespace pgweir::config {
namespace {

using D = proxy::DatabaseOptions;
using enum Reload;
using enum Unit;

constexpr char kApplicationName[] = "application_name";
constexpr char kClientEncoding[] = "client_encoding";
constexpr char kDateStyle[] = "datestyle";
constexpr char kTimeZone[] = "timezone";
constexpr char kOptions[] = "options";
constexpr char kSearchPath[] = "search_path";
constexpr char kStatementTimeout[] = "statement_timeout";
constexpr char kLockTimeout[] = "lock_timeout";
constexpr char kIdleInTransaction[] = "idle_in_transaction_session_timeout";

template <class Part>
std::string join_hosts(const D& of, Part part) {
  std::vector<std::string> parts;
  for (const proxy::ServerAddress& host : of.hosts) parts.push_back(part(host));
  return join_list(parts);
}
std::string render_hosts(const D& of) {
  return join_hosts(of, [](const proxy::ServerAddress& host) { return host.host; });
}
std::string render_addresses(const D& of) {
  const std::string text =
      join_hosts(of, [](const proxy::ServerAddress& host) { return host.address; });
  return text.find_first_not_of(',') == std::string::npos ? std::string() : text;
}
std::string render_ports(const D& of) {
  return join_hosts(of, [](const proxy::ServerAddress& host) { return std::to_string(host.port); });
}
std::string render_application_name(const D& of) {
  return std::string(startup_parameter(of, kApplicationName));
}

// Prisma's `schema`: one identifier, which becomes the whole search_path.
constexpr DatabaseField schema() {
  DatabaseField field = parameter<kSearchPath>();
  field.parse = [](const Input& input, DatabaseDraft& to) -> Complaint {
    std::string text;
    Complaint complaint = Codec<std::string>::parse(input, text);
    if (complaint) return complaint;
    set_startup_parameter(to, kSearchPath, text.empty() ? text : quote_identifier(text));
    return std::nullopt;
  };
  return field;
}

constexpr std::array kServer{
    Setting{.name = "host",
            .reload = NewConnections,
            .url = {"host"},
            .toml = {"host"},
            .ini = {"host"},
            .database = staged<&DatabaseDraft::host_list, render_hosts>(),
            .doc = "Hosts of the server, or directories of its Unix socket, separated by commas."},
    Setting{.name = "hostaddr",
            .reload = NewConnections,
            .url = {"hostaddr"},
            .toml = {"hostaddr"},
            .database = staged<&DatabaseDraft::address_list, render_addresses>(),
            .doc = "IP addresses to connect to; `host` then only serves to check certificates."},
    Setting{.name = "port",
            .reload = NewConnections,
            .url = {"port"},
            .toml = {"port"},
            .ini = {"port"},
            .database = staged<&DatabaseDraft::port_list, render_ports>(),
            .doc = "Port of the server, one for all hosts or one for each; 5432 unless set."},
    Setting{.name = "dbname",
            .reload = NewConnections,
            .url = {"dbname"},
            .toml = {"dbname"},
            .ini = {"dbname"},
            .database = at<&D::server_database>(),
            .doc = "What the server calls the database; unless set, what clients call it."},
    Setting{.name = "user",
            .reload = NewConnections,
            .url = {"user"},
            .toml = {"user"},
            .ini = {"user"},
            .database = at<&D::user>(),
            .doc = "User that every server connection logs in as; unless set, the client's own."},
    Setting{.name = "password",
            .reload = NewConnections,
            .url = {"password"},
            .toml = {"password"},
            .ini = {"password"},
            .database = at<&D::password>(),
            .user = at<&proxy::UserOptions::secret>(),
            .doc = "Password; a user's may be stored as md5… or SCRAM-SHA-256$… too."},
    Setting{.name = "target_session_attrs",
            .reload = NewConnections,
            .url = {"target_session_attrs"},
            .toml = {"target_session_attrs"},
            .database = at<&D::target_session>(),
            .doc = "Which of several hosts will do."},
    Setting{.name = "load_balance_hosts",
            .reload = NewConnections,
            .url = {"load_balance_hosts"},
            .toml = {"load_balance_hosts"},
            .ini = {"load_balance_hosts", "round-robin"},
            .process = database_default<&D::load_balance>(),
            .database = at<&D::load_balance>(),
            .doc = "In which order several hosts are tried."},
    Setting{.name = "server_connect_timeout",
            .reload = NewConnections,
            .url = {"connect_timeout", "5s", Seconds},
            .toml = {"server_connect_timeout"},
            .ini = {"server_connect_timeout", "15s", Seconds},
            .process = database_default<&D::connect_timeout>(),
            .database = at<&D::connect_timeout>(),
            .doc = "Longest that connecting and logging in to a server may take; 0 = no limit."},
    Setting{.name = "socket_timeout",
            .reload = Live,
            .url = {"socket_timeout", {}, Seconds},
            .toml = {"socket_timeout"},
            .process = database_default<&D::socket_timeout>(),
            .database = at<&D::socket_timeout>(),
            .doc = "Longest silence of a server whose answer is due; 0 = no limit."},
    Setting{.name = "prefer_unix_socket",
            .reload = Restart,
            .url = {"prefer_unix_socket"},
            .toml = {"prefer_unix_socket"},
            .process = database_default<&D::prefers_unix_socket>(),
            .database = at<&D::prefers_unix_socket>(),
            .doc = "Whether a server on this machine is reached over its Unix socket where that "
                   "leads to the same server, unless sslmode demands TLS."},
    Setting{.name = "channel_binding",
            .reload = NewConnections,
            .url = {"channel_binding"},
            .toml = {"channel_binding"},
            .database = at<&D::channel_binding>(),
            .doc = "Whether SCRAM to the server must prove that nobody is in between."},
    Setting{.name = "require_auth",
            .reload = NewConnections,
            .url = {"require_auth"},
            .toml = {"require_auth"},
            .database = at<&D::auth_allowed>(),
            .doc = "Ways of authentication that the server may ask for; empty = any."},
    Setting{.name = "application_name",
            .reload = NewConnections,
            .url = {"application_name"},
            .toml = {"application_name"},
            .ini = {"application_name"},
            .database = parameter<kApplicationName>(),
            .doc = "application_name of server connections whose client sends none."},
    Setting{
        .name = "fallback_application_name",
        .reload = NewConnections,
        .url = {"fallback_application_name"},
        .database = staged<&DatabaseDraft::application_name_fallback, render_application_name>(),
        .doc = "application_name where that parameter is missing."},
    Setting{.name = "client_encoding",
            .reload = NewConnections,
            .url = {"client_encoding"},
            .toml = {"client_encoding"},
            .ini = {"client_encoding"},
            .database = parameter<kClientEncoding>(),
            .doc = "client_encoding sent when a server connection starts."},
    Setting{.name = "datestyle",
            .reload = NewConnections,
            .url = {"datestyle"},
            .toml = {"datestyle"},
            .ini = {"datestyle"},
            .database = parameter<kDateStyle>(),
            .doc = "DateStyle sent when a server connection starts."},
    Setting{.name = "timezone",
            .reload = NewConnections,
            .url = {"timezone"},
            .toml = {"timezone"},
            .ini = {"timezone"},
            .database = parameter<kTimeZone>(),
            .doc = "TimeZone sent when a server connection starts."},
    Setting{.name = "options",
            .reload = NewConnections,
            .url = {"options"},
            .toml = {"options"},
            .database = parameter<kOptions>(),
            .doc = "Command-line options for the server, such as -c geqo=off."},
    Setting{.name = "schema",
            .reload = NewConnections,
            .url = {"schema"},
            .toml = {"schema"},
            .database = schema(),
            .doc = "The one schema of the search_path, as in Prisma."},
    Setting{.name = "search_path",
            .reload = NewConnections,
            .url = {"search_path"},
            .toml = {"search_path"},
            .database = parameter<kSearchPath>(),
            .doc = "search_path sent when a server connection starts."},
    Setting{.name = "statement_timeout",
            .reload = NewConnections,
            .url = {"statement_timeout", {}, Milliseconds},
            .toml = {"statement_timeout"},
            .database = duration_parameter<kStatementTimeout>(),
            .doc = "PostgreSQL's limit on one statement, sent when a server connection starts."},
    Setting{.name = "lock_timeout",
            .reload = NewConnections,
            .url = {"lock_timeout", {}, Milliseconds},
            .toml = {"lock_timeout"},
            .database = duration_parameter<kLockTimeout>(),
            .doc = "PostgreSQL's limit on waiting for a lock, sent in the same way."},
    Setting{.name = "idle_in_transaction_session_timeout",
            .reload = NewConnections,
            .url = {"idle_in_transaction_session_timeout", {}, Milliseconds},
            .toml = {"idle_in_transaction_session_timeout"},
            .database = duration_parameter<kIdleInTransaction>(),
            .doc = "PostgreSQL's limit on an idle transaction, sent in the same way."},
    Setting{.name = "connect_query",
            .reload = NewConnections,
            .toml = {"connect_query"},
            .ini = {"connect_query"},
            .database = at<&D::connect_query>(),
            .doc = "A query that runs once on every new server connection."},
};

}  // namespace

SettingGroup server_settings() { return {"Servers", kServer}; }

}  // namespace pgweir::config
