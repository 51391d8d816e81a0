#include "proxy/client_login.h"

#include <fmt/format.h>

#include "auth/decoy.h"
#include "proxy/cancel_key.h"
#include "proxy/catalog.h"
#include "proxy/events.h"
#include "wire/authentication.h"
#include "wire/frame.h"
#include "wire/sqlstate.h"

namespace pgweir::proxy {
namespace {

// The longest a password or SASL message may be; PostgreSQL's PG_MAX_AUTH_TOKEN_LENGTH.
constexpr std::uint32_t kAuthBodyBytesMax = 65535;
// What SCRAM has us say at a time, so that it takes one allocation.
constexpr std::size_t kOutBytesUsual = 128;

std::optional<auth::Method> method_of(AuthMethod method) {
  switch (method) {
    case AuthMethod::Trust:
    case AuthMethod::Any: return auth::Method::Trust;
    case AuthMethod::Cleartext: return auth::Method::Cleartext;
    case AuthMethod::Md5: return auth::Method::Md5;
    case AuthMethod::ScramSha256: return auth::Method::ScramSha256;
    case AuthMethod::Cert: break;
  }
  return std::nullopt;
}

// The listed user whose part an unknown one plays; nullptr if nobody is listed.
const UserOptions* model_of(const Options& options, const auth::ClientAuthOptions& unknown) {
  if (options.users.empty()) return nullptr;
  return &options.users[auth::choose_model(*unknown.process_secret, unknown.user,
                                           options.users.size())];
}

wire::Report fatal(std::string_view sqlstate, std::string message, std::string detail = {},
                   std::string hint = {}) {
  return {.severity = "FATAL",
          .sqlstate = std::string(sqlstate),
          .message = std::move(message),
          .detail = std::move(detail),
          .hint = std::move(hint)};
}

}  // namespace

ClientLogin::ClientLogin(LoginDesk& desk, base::ConnectionId id, base::PeerAddress peer)
    : desk_(desk), id_(id), peer_(std::move(peer)), startup_(desk.has_client_tls(), false) {
  desk_.counts().client_count.fetch_add(1, std::memory_order_relaxed);
}

ClientLogin::~ClientLogin() {
  if (is_counted_) desk_.counts().client_count.fetch_sub(1, std::memory_order_relaxed);
}

void ClientLogin::handle_secured(const base::TlsInfo& tls, base::Instant) {
  tls_ = tls;
  is_secured_ = true;
  startup_.handle_secured();
}

void ClientLogin::handle_bytes(base::Bytes bytes, base::Instant) {
  // Behind a CancelRequest nothing is due; whatever comes is not read.
  if (is_cancel_) return;
  inbox_.push(bytes);
  base::Bytes input = inbox_.bytes();
  const bool is_ours = advance(input);
  inbox_.pop(inbox_.size() - input.size());
  if (is_ours) send();
}

bool ClientLogin::advance(base::Bytes& input) {
  if (!authenticator_ && !advance_startup(input)) return false;
  return !authenticator_ || advance_authentication(input);
}

bool ClientLogin::advance_startup(base::Bytes& input) {
  auto step = startup_.handle_bytes(input, out_);
  if (!step) return refuse(step.error());
  if (std::holds_alternative<session::ClientStartup::StartTls>(*step)) {
    send();
    desk_.io().start_tls(id_, {.role = base::TlsRequest::Role::Accept, .host = {}});
  } else if (auto* key = std::get_if<wire::CancelKey>(&*step)) {
    ask_to_cancel(std::move(*key));
  } else if (auto* message = std::get_if<wire::StartupMessage>(&*step)) {
    return begin_authentication(std::move(*message));
  }
  return true;
}

// The asker's connection stays open until the cancel has taken effect: for libpq its end is the
// sign that it may go on.
void ClientLogin::ask_to_cancel(wire::CancelKey key) {
  is_cancel_ = true;
  auto asked = std::make_unique<CancelAsked>();
  // A number that nobody was given is for any of them to refuse.
  const pool::ReactorIndex relay = relay_of_pid(key.pid) % desk_.placement().relay_count();
  asked->key = std::move(key);
  asked->asker = id_;
  desk_.io().hand_over(base::ConnectionId::None, base::Mailbox::relay(relay), std::move(asked));
}

bool ClientLogin::begin_authentication(wire::StartupMessage message) {
  if (!check_startup(message)) return false;
  identity_.user = message.find("user").value_or("");
  identity_.database = message.find("database").value_or(identity_.user);
  identity_.peer = peer_.text;
  identity_.is_secured = is_secured_;
  for (auto& parameter : message.parameters) {
    const std::string& name = parameter.first;
    if (name == "user" || name == "database" || name == "replication" ||
        name.starts_with("_pq_.")) {
      continue;
    }
    identity_.parameters.push_back(std::move(parameter));
  }
  const Options& options = desk_.options();
  if (options.auth_method == AuthMethod::Cert) return conclude(check_certificate());
  out_.reserve(kOutBytesUsual);
  authenticator_.emplace(authentication_options(options));
  auto outcome = authenticator_->start(out_);
  return outcome ? conclude(*outcome) : refuse(outcome.error());
}

bool ClientLogin::check_startup(const wire::StartupMessage& message) {
  if (desk_.needs_client_tls() && !is_secured_ && !peer_.is_unix) {
    return refuse("tls_required",
                  fatal(wire::sqlstate::kInvalidAuthorizationSpecification,
                        "pgweir takes only encrypted connections here (client_tls_sslmode)", {},
                        "Connect with sslmode=require or better."));
  }
  if (message.find("user").value_or("").empty()) {
    return refuse("no_user", fatal(wire::sqlstate::kInvalidAuthorizationSpecification,
                                   "no PostgreSQL user name specified in startup packet"));
  }
  const std::string_view replication = message.find("replication").value_or("off");
  if (replication != "off" && replication != "false" && replication != "no" && replication != "0") {
    return refuse("replication", fatal(wire::sqlstate::kFeatureNotSupported,
                                       "pgweir does not pass replication connections on", {},
                                       "Connect to the PostgreSQL server itself for replication."));
  }
  const std::uint32_t count = desk_.counts().client_count.load(std::memory_order_relaxed);
  const std::uint32_t count_max = desk_.options().client_count_max;
  if (count_max != 0 && count > count_max) {
    return refuse_full("sorry, too many clients already", count_max, "max_client_conn");
  }
  if (desk_.options().auth_method == AuthMethod::Cleartext && !is_secured_ && !peer_.is_unix) {
    return refuse(
        "cleartext",
        fatal(wire::sqlstate::kInvalidAuthorizationSpecification,
              "pgweir takes a cleartext password only over TLS or a Unix socket", {},
              "Connect with sslmode=require, or let pgweir use auth_type scram-sha-256."));
  }
  return true;
}

auth::ClientAuthOptions ClientLogin::authentication_options(const Options& options) {
  auth::ClientAuthOptions made;
  made.method = *method_of(options.auth_method);
  made.user = identity_.user;
  made.process_secret = &desk_.mock_secret();
  if (options.auth_method != AuthMethod::Any) {
    const UserOptions* user = find_user(options, identity_.user);
    made.is_known = user != nullptr;
    if (!made.is_known) user = model_of(options, made);
    if (user != nullptr) made.credential = desk_.credential_of(*user);
  }
  made.tls_binding = tls_.own_certificate_hash;
  desk_.entropy().fill(made.nonce);
  made.cache = &desk_.client_passwords();
  made.scram_iterations = options.scram_iterations;
  return made;
}

auth::ClientAuthenticator::Outcome ClientLogin::check_certificate() const {
  const bool is_same =
      is_secured_ && !tls_.peer_common_name.empty() && tls_.peer_common_name == identity_.user;
  return is_same && find_user(desk_.options(), identity_.user) != nullptr
             ? auth::ClientAuthenticator::Outcome::Accepted
             : auth::ClientAuthenticator::Outcome::Refused;
}

bool ClientLogin::advance_authentication(base::Bytes& input) {
  while (true) {
    auto frame = wire::take_frame(input, kAuthBodyBytesMax, base::Side::Client);
    if (!frame) return refuse(frame.error());
    if (!*frame) return true;
    if ((*frame)->type == 'X') {  // It changed its mind, as psql does to ask for the password.
      desk_.detach(id_);
      desk_.io().close(id_);
      return false;
    }
    auto outcome = authenticator_->handle(**frame, out_);
    if (!outcome) return refuse(outcome.error());
    if (*outcome != auth::ClientAuthenticator::Outcome::Continue) {
      if (!input.empty())
        return refuse("protocol", fatal(wire::sqlstate::kProtocolViolation, "early message"));
      return conclude(*outcome);
    }
  }
}

bool ClientLogin::conclude(auth::ClientAuthenticator::Outcome outcome) {
  switch (outcome) {
    case auth::ClientAuthenticator::Outcome::Continue: return true;
    case auth::ClientAuthenticator::Outcome::Refused:
      // PostgreSQL's own words: Prisma reads the user's name out of them.
      return refuse(
          "authentication",
          fatal(wire::sqlstate::kInvalidPassword,
                fmt::format("password authentication failed for user \"{}\"", identity_.user)));
    case auth::ClientAuthenticator::Outcome::Accepted: return accept();
  }
  return false;
}

bool ClientLogin::accept() {
  // Only now: before, the answer would tell anybody which databases there are.
  const DatabaseOptions* database = find_database(desk_.options(), identity_.database);
  if (database == nullptr) {
    return refuse(
        "database",
        fatal(wire::sqlstate::kInvalidCatalogName,
              fmt::format("database \"{}\" does not exist", identity_.database),
              "pgweir has no database of this name in its configuration.",
              "Check the name in the URL, or add the database to pgweir's configuration."));
  }
  // With auth_type = any names prove nothing: all who come are the database's one user.
  const bool is_any = desk_.options().auth_method == AuthMethod::Any;
  if (is_any && find_user(desk_.options(), identity_.user) == nullptr) {
    identity_.user = database->user;
  }
  if (!take_seats(*database)) return false;
  wire::encode_authentication_ok(out_);
  const pool::ReactorIndex relay =
      desk_.placement().place(desk_.options(), *database, identity_.database, identity_.user);
  auto ready = std::make_unique<ClientReady>();
  ready->identity = std::move(identity_);
  ready->verdict = std::move(out_);
  is_counted_ = false;
  desk_.detach(id_);
  desk_.io().hand_over(id_, base::Mailbox::relay(relay), std::move(ready));
  return false;
}

bool ClientLogin::take_seats(const DatabaseOptions& database) {
  const std::uint32_t database_max = database.client_count_max;
  auto of_database = desk_.database_seating().take(identity_.database, database_max);
  if (!of_database) {
    return refuse_full(fmt::format("too many clients of database \"{}\"", identity_.database),
                       database_max, "max_db_client_connections");
  }
  const std::uint32_t user_max = user_or_defaults(desk_.options(), identity_.user).client_count_max;
  auto of_user = desk_.user_seating().take(identity_.user, user_max);
  if (!of_user) {
    return refuse_full(fmt::format("too many clients of user \"{}\"", identity_.user), user_max,
                       "max_user_client_connections");
  }
  identity_.seats = {std::move(*of_database), std::move(*of_user)};
  return true;
}

bool ClientLogin::refuse_full(std::string message, std::uint32_t limit, std::string_view setting) {
  desk_.log().event(kLoginRefused,
                    {obs::kv("reason", setting), obs::kv("user", identity_.user),
                     obs::kv("database", identity_.database), obs::kv("client", peer_.text)});
  return refuse(setting,
                fatal(wire::sqlstate::kTooManyConnections, std::move(message),
                      fmt::format("pgweir serves at most {} of them ({}).", limit, setting),
                      fmt::format("Close connections that are not in use, or raise {}.", setting)));
}

void ClientLogin::handle_closed(base::CloseCause, std::string_view, base::Instant) {}

void ClientLogin::handle_deadline(base::Instant) {
  if (is_cancel_) {
    desk_.detach(id_);
    desk_.io().close(id_);
    return;
  }
  refuse("timeout", fatal(wire::sqlstate::kSqlserverRejectedEstablishment,
                          "login did not finish in time (client_login_timeout)"));
}

// A client that does not read the few bytes of a login is closed by its deadline.
void ClientLogin::send() {
  if (out_.empty()) return;
  const std::size_t taken = desk_.io().try_send(id_, out_);
  out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(taken));
}

bool ClientLogin::refuse(std::string_view reason, const wire::Report& report) {
  desk_.log().event(kLoginRefused,
                    {obs::kv("reason", reason), obs::kv("database", identity_.database),
                     obs::kv("user", identity_.user), obs::kv("client", peer_.text),
                     obs::kv("problem", report.message)});
  desk_.log().event(kClientError,
                    {obs::kv("sqlstate", report.sqlstate), obs::kv("severity", report.severity),
                     obs::kv("database", identity_.database), obs::kv("user", identity_.user),
                     obs::kv("client", peer_.text), obs::kv("problem", report.message)});
  wire::encode_error(out_, report);
  send();
  desk_.detach(id_);
  desk_.io().close(id_);
  return false;
}

bool ClientLogin::refuse(const base::Error& error) {
  const bool is_unsupported = error.code == base::ErrorCode::Unsupported;
  return refuse("protocol", fatal(is_unsupported ? wire::sqlstate::kFeatureNotSupported
                                                 : wire::sqlstate::kProtocolViolation,
                                  error.context));
}

}  // namespace pgweir::proxy
