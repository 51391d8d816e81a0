#include "control/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "config/connection_parameters.h"
#include "control/dial.h"

namespace pgweir::control {

namespace {

std::string reason_to_skip(const proxy::DatabaseOptions& database) {
  if (database.user.empty()) {
    return "It names no user of its own, so clients' users log in to it.";
  }
  const std::string_view limit = config::limit_of_libpq(database);
  if (limit.empty()) return {};
  return fmt::format("It takes pgweir serve to log in: {}. See its /api/health.", limit);
}

// What a database entry's check has in the air. Each step's callback calls the next.
class Checker {
 public:
  Checker(loop::Loop& loop, Resolver& resolver, const proxy::DatabaseOptions& database,
          const budget::Options& budget)
      : budget_(budget) {
    check_.name = database.name;
    check_.hosts = config::describe_hosts(database);
    check_.user = database.user;
    check_.server_database = config::service_database(database);
    check_.skip_reason = reason_to_skip(database);
    if (!check_.skip_reason.empty()) {
      is_done_ = true;
      return;
    }
    dial_ = std::make_unique<Dial>(loop, resolver, database, "pgweir:check",
                                   [this](auto connection, auto failure) {
                                     connection_ = std::move(connection);
                                     if (failure) return fail(std::move(*failure));
                                     ask_facts();
                                   });
  }

  bool is_done() const { return is_done_; }
  DatabaseCheck take() { return std::move(check_); }

 private:
  void ask(const Statement& statement, std::function<void(const Rows&)> answered) {
    connection_->query(statement, [this, answered = std::move(answered)](const Answer& answer) {
      if (const insight::Failure* failure = std::get_if<insight::Failure>(&answer))
        return fail(*failure);
      answered(std::get<Rows>(answer));
    });
  }

  void ask_facts() {
    pid_ = connection_->pid();
    check_.tls = connection_->tls();
    ask(discovery_statement({pid_}), [this](const Rows& rows) {
      auto facts = read_discovery(rows, pid_);
      if (!facts.has_value())
        return fail(insight::make_failure(insight::FailureKind::Other, facts.error().context));
      check_.facts = *facts;
      check_.allowance = budget::compute_allowance(
          *facts, budget_, budget::Login{check_.user, check_.server_database});
      ask(usage_statement({pid_}), [this](const Rows& usage) {
        check_.others = read_usage(usage);
        check_.warnings = find_warnings(check_, budget_);
        finish();
      });
    });
  }

  void fail(insight::Failure failure) {
    check_.failure = std::move(failure);
    finish();
  }

  // The slot is free again only when the server has seen the end: a start right after this counts
  // on it.
  void finish() {
    if (connection_ == nullptr) {
      is_done_ = true;
      return;
    }
    const std::unique_ptr<PostgresConnection> closing = std::move(connection_);
    closing->close([this](bool) { is_done_ = true; });
  }

  const budget::Options budget_;
  DatabaseCheck check_;
  std::int32_t pid_ = 0;
  std::unique_ptr<Dial> dial_;
  std::unique_ptr<PostgresConnection> connection_;
  bool is_done_ = false;
};

}  // namespace

bool CheckReport::is_ok() const {
  return std::all_of(databases.begin(), databases.end(), [](const DatabaseCheck& check) {
    const std::uint32_t limit = check.allowance.limit;
    return !check.skip_reason.empty() || (!check.failure && limit > 0 && limit != pool::kUnlimited);
  });
}

base::Result<CheckReport> run_check(const proxy::Options& options, const budget::Options& budget,
                                    const ResolverOptions& resolver_options) {
  const std::unique_ptr<loop::Loop> loop = TRY(loop::Loop::create());
  const std::unique_ptr<Resolver> resolver = TRY(Resolver::create(*loop, resolver_options));
  CheckReport report;
  // One after another: the check itself must not be what exhausts a small server.
  for (const proxy::DatabaseOptions& database : options.databases) {
    Checker checker(*loop, *resolver, database, budget);
    while (!checker.is_done()) loop->turn();
    report.databases.push_back(checker.take());
  }
  return report;
}

std::vector<std::string> find_warnings(const DatabaseCheck& check, const budget::Options& budget) {
  std::vector<std::string> warnings;
  const budget::Allowance& allowance = check.allowance;
  if (allowance.trouble == budget::Trouble::BehindPooler)
    warnings.push_back(fmt::format(
        "behind this address is another pooler, not PostgreSQL itself, so the slots cannot be "
        "counted from here: {}use the server's own address where there is one",
        budget.connection_limit == 0 ? "set connection_limit, or " : ""));
  if (allowance.trouble == budget::Trouble::Nonsense)
    warnings.emplace_back(
        "what the server says about its limits makes no sense; set "
        "connection_limit");
  if (allowance.is_far_below_server)
    warnings.push_back(fmt::format(
        "connection_limit={} is less than a third of what the server could give: it was meant for "
        "one client process, and pgweir serves them all; remove it to let pgweir find out",
        budget.connection_limit));
  if (allowance.limit < budget.connection_limit)
    warnings.push_back(
        fmt::format("connection_limit={} is more than the server has left: pgweir keeps to {}",
                    budget.connection_limit, allowance.limit));
  if (allowance.limit == 0)
    warnings.emplace_back(
        "no slot is left for pgweir: end connections of others, or raise max_connections or the "
        "limit of the role or database");
  else if (allowance.limit < 4)
    warnings.emplace_back(
        "below 4 connections there is none to spare for health and discovery, "
        "which then borrow one between two transactions of clients");
  if (check.facts.is_superuser)
    warnings.push_back(fmt::format(
        "\"{}\" is a superuser: PostgreSQL holds it to no connection limit, and its clients may do "
        "anything; give the application a role of its own",
        check.user));
  return warnings;
}

}  // namespace pgweir::control
