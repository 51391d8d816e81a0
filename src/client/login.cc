#include "client/login.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <vector>

#include "client/clock.h"
#include "client/handle_settings.h"
#include "client/session_settings.h"
#include "config/connection_parameters.h"

namespace pgweir::client {
namespace {

using insight::Failure;
using insight::FailureKind;
using insight::make_failure;

using Addresses = std::vector<std::string>;

struct FreeAddresses {
  void operator()(addrinfo* first) const { ::freeaddrinfo(first); }
};

std::string text_of(const addrinfo& address) {
  std::array<char, NI_MAXHOST> text{};
  const int failed = ::getnameinfo(address.ai_addr, address.ai_addrlen, text.data(), text.size(),
                                   nullptr, 0, NI_NUMERICHOST);
  return failed == 0 ? text.data() : std::string();
}

// By the system's own resolver: a service is found as everything else in its process is.
std::variant<Addresses, Failure> resolve(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  if (const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &first); failed != 0) {
    return make_failure(FailureKind::NameNotFound,
                        "host \"" + host + "\" was not found: " + ::gai_strerror(failed));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> owner(first);
  Addresses addresses;
  for (const addrinfo* one = first; one != nullptr; one = one->ai_next) {
    if (std::string text = text_of(*one); !text.empty()) addresses.push_back(std::move(text));
  }
  return addresses;
}

// What each of the hosts is called in numbers. A failure only where no host is left.
std::variant<std::vector<Addresses>, Failure> resolve_all(const proxy::DatabaseOptions& database) {
  std::vector<Addresses> all;
  std::optional<Failure> failure;
  bool has_any = false;
  for (const proxy::ServerAddress& server : database.hosts) {
    Addresses& found = all.emplace_back();
    if (server.is_unix() || !server.address.empty()) {
      has_any = true;
      continue;
    }
    auto outcome = resolve(server.host);
    if (auto* addresses = std::get_if<Addresses>(&outcome)) {
      found = std::move(*addresses);
      has_any = has_any || !found.empty();
    } else {
      failure = std::get<Failure>(std::move(outcome));
    }
  }
  if (!has_any && failure) return *failure;
  return all;
}

Failure too_late(const config::ConnectionParameters& parameters) {
  return make_failure(
      FailureKind::TimedOut,
      "no answer from " + std::string(parameters.find("host")) + " within connect_timeout");
}

Failure given_up() { return make_failure(FailureKind::Other, "the pool was closed meanwhile"); }

LoginOutcome connect(const config::ConnectionParameters& parameters, const Patience& patience) {
  const config::SpelledParameters spelled(parameters);
  Connection connection(PQconnectStartParams(spelled.keywords(), spelled.values(), 0));
  if (!connection) return make_failure(FailureKind::Other, "out of memory for a connection");
  // The only way to learn the SQLSTATE of a refused login is to have it in the text.
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  PQsetNoticeReceiver(
      connection.get(), [](void*, const PGresult*) {}, nullptr);
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  if (PQstatus(connection.get()) == CONNECTION_BAD) status = PGRES_POLLING_FAILED;
  while (status != PGRES_POLLING_OK) {
    if (status == PGRES_POLLING_FAILED) {
      return insight::explain_connect_failure(PQerrorMessage(connection.get()));
    }
    const short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    switch (await(connection.get(), events, patience)) {
      case Waited::Ready:
      case Waited::Lost: break;  // libpq says why.
      case Waited::TimedOut: return too_late(parameters);
      case Waited::Stopped: return given_up();
    }
    status = PQconnectPoll(connection.get());
  }
  set_up_handle(connection.get());
  return connection;
}

std::optional<Failure> carry_out(PGconn* connection, const Statement& statement,
                                 const Patience& patience) {
  Result result;
  switch (converse(connection, statement, patience, result)) {
    case Waited::Ready: break;
    case Waited::TimedOut:
      return make_failure(FailureKind::TimedOut,
                          "the server did not take the session's settings within connect_timeout");
    case Waited::Stopped: return given_up();
    case Waited::Lost:
      return make_failure(FailureKind::Lost, insight::in_one_line(PQerrorMessage(connection)));
  }
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return std::nullopt;
  const char* sqlstate = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
  return insight::explain_statement_failure(sqlstate == nullptr ? "" : sqlstate,
                                            PQresultErrorMessage(result.get()));
}

std::string_view name_for(const proxy::DatabaseOptions& database, std::string_view fallback) {
  for (const auto& [name, value] : database.startup_parameters) {
    if (name == "application_name") return value;
  }
  return fallback;
}

}  // namespace

LoginOutcome log_in(const proxy::DatabaseOptions& database, std::string_view application_name,
                    int stop) {
  auto addresses = resolve_all(database);
  if (auto* failure = std::get_if<Failure>(&addresses)) return std::move(*failure);
  auto made = config::make_connection_parameters(database, name_for(database, application_name),
                                                 std::get<std::vector<Addresses>>(addresses));
  if (!made.has_value()) return make_failure(made.error());
  config::ConnectionParameters& parameters = *made;
  Patience patience{.stop = stop};
  if (parameters.time_max > base::Duration::zero()) {
    patience.deadline = precise_now() + parameters.time_max;
  }
  LoginOutcome outcome = connect(parameters, patience);
  const Failure* refused = std::get_if<Failure>(&outcome);
  if (refused != nullptr && refused->kind == FailureKind::TlsUnavailable &&
      parameters.is_plain_if_refused) {
    for (auto& [keyword, value] : parameters.values) {
      if (keyword == "sslmode") value = "disable";
    }
    outcome = connect(parameters, patience);
  }
  auto* connection = std::get_if<Connection>(&outcome);
  if (connection == nullptr) return outcome;
  const SessionSettings session(database);
  for (const Statement& statement : session.statements_for(connection->get())) {
    if (auto failure = carry_out(connection->get(), statement, patience)) return *failure;
  }
  return outcome;
}

}  // namespace pgweir::client
