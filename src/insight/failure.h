// Failure: why a connection or a statement of our own failed, sorted by what can be done about it.
// Pure: it reads the texts of libpq 15 (fe-connect.c, fe-secure-openssl.c) and the SQLSTATEs of the
// PostgreSQL manual, appendix A. What clients do is not looked at here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pgweir::insight {

enum class FailureKind : std::uint8_t {
  NameNotFound,     // DNS.
  Unreachable,      // Nobody listens there, or there is no route.
  TimedOut,         // No answer in time.
  WrongPassword,    // 28P01, or a password is asked for and none is set.
  NotAllowed,       // 28000: pg_hba.conf, or the role does not exist or may not log in.
  NoSuchDatabase,   // 3D000.
  TlsVerification,  // The server's certificate is not acceptable, or ours is missing.
  TlsUnavailable,   // We require TLS, the server has none.
  TooMany,          // 53300: no slot left, or the limit of the role or database is reached.
  StartingUp,       // 57P03: starting, stopping or in recovery.
  WrongRole,        // No host is what target_session_attrs asks for.
  Lost,             // An established connection ended.
  Configuration,    // Our own options.
  Statement,        // The server refused a statement; the connection lives.
  Other,
};

std::string_view to_text(FailureKind kind);

// Whether waiting cannot help: someone has to change something.
bool is_permanent(FailureKind kind);

// What to do next, as a sentence without its full stop.
std::string_view advice(FailureKind kind);

struct Failure {
  FailureKind kind = FailureKind::Other;
  std::string sqlstate;  // Empty where the server said nothing.
  base::Error error;     // context: one line, without a secret.
};

// text: PQerrorMessage of a connection that failed, with PQERRORS_VERBOSE set before the server
// could answer; libpq has no other way to tell the SQLSTATE of a refused login.
Failure explain_connect_failure(std::string_view text);

// What the server (or libpq, with an empty sqlstate) said about a statement.
Failure explain_statement_failure(std::string_view sqlstate, std::string_view text);

// What came of a login or a statement of a pool's, by its SQLSTATE; 08… is the network's.
Failure explain_server_failure(std::string_view sqlstate, std::string_view text);

// What libpq or PostgreSQL said without line feeds, runs of blanks, the place in PostgreSQL's
// source and the question whether the server is running.
std::string in_one_line(std::string_view text);

// A failure of ours that needs no reading.
Failure make_failure(FailureKind kind, std::string text);

// From another part's Error: a name that was not found, options that do not suffice.
Failure make_failure(const base::Error& error);

}  // namespace pgweir::insight
