// The check of `pgweir check` and of the start: connects once to every configured database, and
// tells what it found, what follows for us and what to do about it. It blocks its caller, who must
// not be a thread that serves clients. Nothing in a report is secret.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "budget/allowance.h"
#include "budget/options.h"
#include "control/postgres_connection.h"
#include "control/probe.h"
#include "control/resolver.h"
#include "insight/failure.h"
#include "proxy/options.h"

namespace pgweir::control {

struct DatabaseCheck {
  std::string name;   // As clients name it.
  std::string hosts;  // "db.example:5432".
  std::string user;
  std::string server_database;
  std::string skip_reason;  // Why it is not logged in to; empty if it is.
  std::optional<insight::Failure> failure;

  // What follows is filled where there is no failure.
  TlsFacts tls;
  budget::ServerFacts facts;
  budget::Allowance allowance;
  std::vector<Usage> others;
  std::vector<std::string> warnings;
};

struct CheckReport {
  std::vector<DatabaseCheck> databases;

  // Whether pgweir could serve every database: each can be logged in to, has room for us, and has
  // a limit that is known or set.
  bool is_ok() const;
};

// Errors: System, when this machine has no descriptors for it. What is wrong with a database is in
// the report.
base::Result<CheckReport> run_check(const proxy::Options& options, const budget::Options& budget,
                                    const ResolverOptions& resolver = {});

// What follows from the facts for a human: another pooler, a limit meant for one process, …
std::vector<std::string> find_warnings(const DatabaseCheck& check, const budget::Options& budget);

// For a terminal: lines of at most 80 columns, each with its line feed.
std::string render(const CheckReport& report);

}  // namespace pgweir::control
