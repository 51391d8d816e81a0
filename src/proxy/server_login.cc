#include "proxy/server_login.h"

#include <fmt/format.h>

#include "proxy/login_failure.h"
#include "wire/query.h"
#include "wire/sqlstate.h"

namespace pgweir::proxy {
namespace {

using session::ServerStartup;

// Where to begin for an sslmode; a Unix socket is never encrypted (libpq does the same).
ServerStartup::Tls first_choice(const ServerTls& tls, bool is_unix) {
  if (is_unix) return ServerStartup::Tls::Never;
  switch (tls.mode) {
    case SslMode::Disable:
    case SslMode::Allow: return ServerStartup::Tls::Never;
    case SslMode::Prefer: return ServerStartup::Tls::Prefer;
    case SslMode::Require:
    case SslMode::VerifyCa:
    case SslMode::VerifyFull: break;
  }
  return tls.negotiation == TlsNegotiation::Direct ? ServerStartup::Tls::Direct
                                                   : ServerStartup::Tls::Require;
}

// A SCRAM verifier proves nothing to a server; it counts as no password.
auth::ServerCredential server_credential(const base::Secret& secret) {
  const std::string_view text = secret.reveal();
  if (auth::is_md5_hash(text)) return auth::Md5Hash{secret};
  if (text.empty() || text.starts_with("SCRAM-SHA-256$")) return std::monostate{};
  return secret;
}

// Who could read along there could read our memory, too.
bool stays_on_this_machine(const base::Endpoint& endpoint) {
  return endpoint.is_unix() || endpoint.address.starts_with("127.") || endpoint.address == "::1";
}

// What went wrong is that nobody was reached, or that the two did not agree on who comes in:
// pg_hba.conf has other rules for a Unix socket than for TCP. Whatever else a server says, that it
// is full or has no such database, it says on every way.
bool is_about_the_way(std::string_view sqlstate) {
  return sqlstate.starts_with("08") || sqlstate.starts_with("28") || sqlstate.starts_with("0A");
}

std::string_view sqlstate_of(const base::Error& error) {
  switch (error.code) {
    case base::ErrorCode::AuthenticationFailed: return wire::sqlstate::kInvalidPassword;
    case base::ErrorCode::ProtocolViolation: return wire::sqlstate::kProtocolViolation;
    case base::ErrorCode::Unsupported: return wire::sqlstate::kFeatureNotSupported;
    case base::ErrorCode::TlsFailed:
    case base::ErrorCode::Refused:
    case base::ErrorCode::Unreachable:
    case base::ErrorCode::ConnectionLost:
    case base::ErrorCode::LimitReached:
    case base::ErrorCode::Timeout:
    case base::ErrorCode::Configuration:
    case base::ErrorCode::System: break;
  }
  return wire::sqlstate::kConnectionFailure;
}

wire::Report report_of(const base::Error& error) {
  return {.severity = "FATAL",
          .sqlstate = std::string(sqlstate_of(error)),
          .message = error.context,
          .detail = {},
          .hint = {}};
}

}  // namespace

void ServerLogin::start(LoginDesk& desk, ServerToken token, std::shared_ptr<const ServerPlan> plan,
                        std::size_t turn, base::Instant now) {
  const base::Instant deadline = base::deadline(now, plan->database.connect_timeout);
  auto login = std::make_shared<ServerLogin>(desk, token, std::move(plan), deadline);
  auto endpoints = desk.addresses().find(login->plan_->database, turn);
  if (!endpoints) {
    login->give_up(report_of(endpoints.error()), true);
    return;
  }
  login->endpoints_ = std::move(*endpoints);
  login->tls_ = first_choice(login->plan_->database.tls, login->endpoints_.front().is_unix());
  login->connect();
}

ServerLogin::ServerLogin(LoginDesk& desk, ServerToken token, std::shared_ptr<const ServerPlan> plan,
                         base::Instant deadline)
    : desk_(desk), token_(token), plan_(std::move(plan)), deadline_(deadline) {}

void ServerLogin::connect() {
  is_connected_ = false;
  is_tls_wrong_ = false;
  has_said_goodbye_ = false;
  refusal_.reset();
  connect_query_.reset();
  inbox_.clear();
  out_.clear();
  startup_.emplace(startup_plan());
  id_ = desk_.io().open(endpoints_[endpoint_]);
  desk_.attach(id_, shared_from_this(), deadline_);
}

ServerStartup::Plan ServerLogin::startup_plan() const {
  ServerStartup::Plan plan;
  plan.tls = tls_;
  plan.parameters = {{"user", plan_->user}, {"database", plan_->server_database}};
  for (const auto& parameter : plan_->database.startup_parameters) {
    plan.parameters.push_back(parameter);
  }
  plan.auth.user = plan_->user;
  plan.auth.credential = server_credential(plan_->secret);
  plan.auth.cache = &desk_.server_passwords();
  plan.auth.allow_cleartext = stays_on_this_machine(endpoints_[endpoint_]);
  const ServerAuth& allowed = plan_->database.auth_allowed;
  plan.methods = {.has_cleartext = allowed.has_cleartext,
                  .has_md5 = allowed.has_md5,
                  .has_sasl = allowed.has_scram,
                  .has_none = allowed.has_none};
  switch (plan_->database.channel_binding) {
    case ChannelBinding::Disable: plan.auth.channel_binding = auth::ChannelBinding::Disable; break;
    case ChannelBinding::Prefer: plan.auth.channel_binding = auth::ChannelBinding::Prefer; break;
    case ChannelBinding::Require: plan.auth.channel_binding = auth::ChannelBinding::Require; break;
  }
  plan.auth.nonce.resize(auth::kServerNonceBytesMin);
  desk_.entropy().fill(plan.auth.nonce);
  return plan;
}

void ServerLogin::handle_opened(base::Instant) {
  is_connected_ = true;
  follow(startup_->handle_opened(out_));
}

void ServerLogin::handle_secured(const base::TlsInfo& tls, base::Instant) {
  startup_->handle_secured(tls, out_);
  send();
}

void ServerLogin::handle_bytes(base::Bytes bytes, base::Instant) {
  if (refusal_) return;  // Its end is all that is still of interest.
  inbox_.push(bytes);
  base::Bytes input = inbox_.bytes();
  if (connect_query_) {
    follow_query(input);
    return;
  }
  auto step = startup_->handle_bytes(input, out_);
  inbox_.pop(inbox_.size() - input.size());
  if (!step) {
    if (is_stand_in()) {
      take_leave(report_of(step.error()));
      return;
    }
    is_tls_wrong_ = step.error().code == base::ErrorCode::TlsFailed;
    desk_.detach(id_);
    desk_.io().close(id_);
    try_next(report_of(step.error()), false, is_tls_wrong_);
    return;
  }
  follow(*step);
}

void ServerLogin::follow(ServerStartup::Step step) {
  switch (step) {
    case ServerStartup::Step::NeedsMore: send(); return;
    case ServerStartup::Step::StartTls:
      send();
      start_tls();
      return;
    case ServerStartup::Step::Ready: handle_logged_in(); return;
    case ServerStartup::Step::Refused:
      // Only the server's own end proves that its slot is free again: wait for it, a little.
      refusal_ = startup_->refusal();
      return;
  }
}

void ServerLogin::start_tls() {
  base::TlsRequest request{
      .role = base::TlsRequest::Role::Connect,
      .setup = plan_->database.tls_setup,
      .host = plan_->database.tls.has_sni || plan_->database.tls.verify == TlsVerify::ChainAndHost
                  ? endpoints_[endpoint_].host
                  : std::string(),
      .is_direct = tls_ == Tls::Direct};
  desk_.io().start_tls(id_, request);
}

// Offers what is to be sent. During login the two sides take turns, so a socket that is full has
// a peer that does not read: it fails by the deadline.
void ServerLogin::send() {
  const std::size_t taken = out_.empty() ? 0 : desk_.io().try_send(id_, out_);
  out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(taken));
}

bool ServerLogin::fits_target_session() const {
  // Servers since PostgreSQL 14 report both; an older one is taken for a writable primary.
  bool is_standby = false;
  bool is_read_only = false;
  for (const auto& [name, value] : startup_->reported()) {
    if (name == "in_hot_standby") is_standby = value == "on";
    if (name == "default_transaction_read_only") is_read_only = value == "on";
  }
  switch (plan_->database.target_session) {
    case TargetSession::Any: return true;
    case TargetSession::ReadWrite: return !is_standby && !is_read_only;
    case TargetSession::ReadOnly: return is_standby || is_read_only;
    case TargetSession::Primary: return !is_standby;
    case TargetSession::Standby: return is_standby;
    // A primary will do when the last host has been asked and none was a standby.
    case TargetSession::PreferStandby: return is_standby || endpoint_ + 1 == endpoints_.size();
  }
  return true;
}

void ServerLogin::handle_logged_in() {
  if (!fits_target_session()) {
    take_leave({.severity = "FATAL",
                .sqlstate = std::string(wire::sqlstate::kCannotConnectNow),
                .message = fmt::format("host \"{}\" is not what target_session_attrs asks for",
                                       endpoints_[endpoint_].host),
                .detail = {},
                .hint = {}});
    return;
  }
  reported_ = startup_->reported();
  const std::string& query = plan_->database.connect_query;
  if (query.empty()) {
    finish();
    return;
  }
  connect_query_.emplace(reported_);
  connect_query_->begin(query, out_);
  send();
}

void ServerLogin::follow_query(base::Bytes& input) {
  const auto step = connect_query_->handle_bytes(input);
  inbox_.pop(inbox_.size() - input.size());
  if (step && *step == session::ConnectQuery::Step::NeedsMore) return;
  if (step && *step == session::ConnectQuery::Step::Done) {
    finish();
    return;
  }
  wire::Report report = step ? connect_query_->refusal() : report_of(step.error());
  report.message = "connect_query failed: " + report.message;
  take_leave(std::move(report));
}

// Its end, which follows, proves that its slot is free again; the next host has its turn then.
void ServerLogin::take_leave(wire::Report report) {
  refusal_ = std::move(report);
  has_said_goodbye_ = true;
  wire::encode_terminate(out_);
  send();
}

void ServerLogin::finish() {
  auto ready = std::make_unique<ServerReady>();
  ready->token = token_;
  ready->endpoint = endpoints_[endpoint_];
  ready->is_secured = startup_->is_secured();
  ready->reported = std::move(reported_);
  ready->cancel_key = startup_->cancel_key();
  base::append(ready->rest, inbox_.bytes());
  if (unix_refusal_) desk_.give_up_unix_socket(endpoints_[endpoint_], *unix_refusal_);
  desk_.detach(id_);
  desk_.io().hand_over(id_, mailbox_of(token_), std::move(ready));
}

void ServerLogin::handle_closed(base::CloseCause cause, std::string_view detail, base::Instant) {
  if (refusal_) {
    wire::Report said = *refusal_;
    // A server that has refused us ends by itself. One that we have left is only seen to.
    const bool is_ended = !has_said_goodbye_ || cause == base::CloseCause::Eof;
    const bool may_retry = said.sqlstate == wire::sqlstate::kCannotConnectNow ||
                           said.sqlstate.starts_with("28") ||
                           (is_stand_in() && is_about_the_way(said.sqlstate));
    try_next(std::move(said), is_ended, may_retry && is_ended);
    return;
  }
  base::Error error{
      .code = base::ErrorCode::Unreachable, .side = base::Side::Server, .context = {}};
  const base::Endpoint& endpoint = endpoints_[endpoint_];
  const std::string where = endpoint.is_unix() ? fmt::format("\"{}\"", endpoint.address)
                                               : fmt::format("\"{}\" ({}), port {}", endpoint.host,
                                                             endpoint.address, endpoint.port);
  if (cause == base::CloseCause::ConnectFailed) {
    error.context = fmt::format("could not connect to server at {}: {}", where, detail);
  } else if (cause == base::CloseCause::TlsFailed) {
    is_tls_wrong_ = true;
    error.code = base::ErrorCode::TlsFailed;
    error.context = fmt::format("TLS with server at {} failed: {}", where, detail);
  } else {
    error.code = base::ErrorCode::ConnectionLost;
    error.context = fmt::format("the server at {} closed the connection during login", where);
  }
  const bool is_ended = cause == base::CloseCause::ConnectFailed || cause == base::CloseCause::Eof;
  try_next(report_of(error), is_ended, true);
}

void ServerLogin::handle_deadline(base::Instant) {
  desk_.detach(id_);
  desk_.io().close(id_);
  if (refusal_) {
    give_up(*refusal_, false);
    return;
  }
  const base::Endpoint& endpoint = endpoints_[endpoint_];
  give_up({.severity = "FATAL",
           .sqlstate = std::string(wire::sqlstate::kConnectionFailure),
           .message = fmt::format(
               "login to the server at \"{}\" did not finish within {} s",
               endpoint.host.empty() ? endpoint.address : endpoint.host,
               std::chrono::duration_cast<std::chrono::seconds>(plan_->database.connect_timeout)
                   .count()),
           .detail = {},
           .hint = "Raise connect_timeout if the server or the network is that slow."},
          !is_connected_);
}

void ServerLogin::try_next(wire::Report report, bool is_ended, bool may_retry) {
  if (!may_retry || !choose_next(report)) {
    give_up(std::move(report), is_ended);
    return;
  }
  connect();
}

// sslmode=allow tries TLS after plain text was refused, prefer plain text unless it was tried for
// want of TLS; then the next endpoint has its turn.
bool ServerLogin::choose_next(const wire::Report& report) {
  if (is_stand_in()) {
    go_to(endpoint_ + 1);
    // Whether it is the socket's fault shows when TCP leads in.
    if (is_about_the_way(report.sqlstate) && !connect_query_) unix_refusal_ = report;
    return true;
  }
  const SslMode mode = plan_->database.tls.mode;
  const bool may_switch = !has_switched_tls_ && !endpoints_[endpoint_].is_unix() && is_connected_;
  if (may_switch && mode == SslMode::Allow && report.sqlstate.starts_with("28")) {
    has_switched_tls_ = true;
    tls_ = Tls::Require;
    return true;
  }
  if (may_switch && tls_ == Tls::Prefer && !startup_->is_denied_tls()) {
    has_switched_tls_ = true;
    tls_ = Tls::Never;
    return true;
  }
  if (report.sqlstate.starts_with("28") || endpoint_ + 1 == endpoints_.size()) return false;
  go_to(endpoint_ + 1);
  return true;
}

void ServerLogin::go_to(std::size_t endpoint) {
  endpoint_ = endpoint;
  has_switched_tls_ = false;
  unix_refusal_.reset();
  tls_ = first_choice(plan_->database.tls, endpoints_[endpoint_].is_unix());
}

void ServerLogin::give_up(wire::Report report, bool is_ended) {
  auto failed = std::make_unique<ServerFailed>();
  failed->token = token_;
  failed->is_permanent = is_permanent(report.sqlstate) || is_tls_wrong_;
  failed->is_ended = is_ended;
  failed->report = std::move(report);
  desk_.io().hand_over(base::ConnectionId::None, mailbox_of(token_), std::move(failed));
}

}  // namespace pgweir::proxy
