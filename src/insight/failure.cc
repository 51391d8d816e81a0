#include "insight/failure.h"

#include <algorithm>
#include <array>
#include <utility>

namespace pgweir::insight {

namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool is_sqlstate(std::string_view text) {
  return text.size() == 5 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

// Finds the last "FATAL:  28P01: ", whatever the language of its severity. With several hosts,
// the last one's answer is the one that decided.
std::size_t find_sqlstate(std::string_view text) {
  for (std::size_t at = text.rfind(":  "); at != std::string_view::npos;
       at = at == 0 ? std::string_view::npos : text.rfind(":  ", at - 1)) {
    const std::string_view rest = text.substr(at + 3);
    if (rest.size() > 6 && rest[5] == ':' && is_sqlstate(rest.substr(0, 5))) return at + 3;
  }
  return std::string_view::npos;
}

// What libpq asks the user; advice() says it in other words.
constexpr std::string_view kLibpqHint = "\tIs the server running";

FailureKind kind_of_sqlstate(std::string_view sqlstate) {
  if (sqlstate == "28P01") return FailureKind::WrongPassword;
  if (sqlstate == "28000") return FailureKind::NotAllowed;
  if (sqlstate == "3D000") return FailureKind::NoSuchDatabase;
  if (sqlstate == "53300") return FailureKind::TooMany;
  if (sqlstate == "57P03") return FailureKind::StartingUp;
  if (sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "57P05") return FailureKind::Lost;
  return FailureKind::Other;
}

// libpq's own words, where no server said anything. The first that fits wins.
FailureKind kind_of_text(std::string_view text) {
  using Row = std::pair<std::string_view, FailureKind>;
  static constexpr std::array kRows{
      Row{"no password supplied", FailureKind::WrongPassword},
      Row{"server does not support SSL", FailureKind::TlsUnavailable},
      Row{"certificate", FailureKind::TlsVerification},
      Row{"SSL error", FailureKind::TlsVerification},
      Row{"session is", FailureKind::WrongRole},
      Row{"server is in hot standby", FailureKind::WrongRole},
      Row{"server is not in hot standby", FailureKind::WrongRole},
      Row{"Connection timed out", FailureKind::TimedOut},
      Row{"timeout expired", FailureKind::TimedOut},
      Row{"Connection refused", FailureKind::Unreachable},
      Row{"No such file or directory", FailureKind::Unreachable},
      Row{"unreachable", FailureKind::Unreachable},
      Row{"No route to host", FailureKind::Unreachable},
      Row{"could not translate host name", FailureKind::NameNotFound},
      Row{"closed the connection unexpectedly", FailureKind::Lost},
      Row{"could not receive data", FailureKind::Lost},
      Row{"could not send data", FailureKind::Lost},
  };
  for (const auto& [part, kind] : kRows)
    if (contains(text, part)) return kind;
  return FailureKind::Other;
}

base::ErrorCode code_of(FailureKind kind) {
  switch (kind) {
    case FailureKind::NameNotFound:
    case FailureKind::Unreachable:
    case FailureKind::WrongRole: return base::ErrorCode::Unreachable;
    case FailureKind::TimedOut: return base::ErrorCode::Timeout;
    case FailureKind::WrongPassword:
    case FailureKind::NotAllowed: return base::ErrorCode::AuthenticationFailed;
    case FailureKind::TlsVerification:
    case FailureKind::TlsUnavailable: return base::ErrorCode::TlsFailed;
    case FailureKind::NoSuchDatabase:
    case FailureKind::TooMany:
    case FailureKind::StartingUp:
    case FailureKind::Statement:
    case FailureKind::Other: return base::ErrorCode::Refused;
    case FailureKind::Lost: return base::ErrorCode::ConnectionLost;
    case FailureKind::Configuration: return base::ErrorCode::Configuration;
  }
  return base::ErrorCode::Refused;
}

}  // namespace

std::string_view to_text(FailureKind kind) {
  switch (kind) {
    case FailureKind::NameNotFound: return "name_not_found";
    case FailureKind::Unreachable: return "unreachable";
    case FailureKind::TimedOut: return "timed_out";
    case FailureKind::WrongPassword: return "wrong_password";
    case FailureKind::NotAllowed: return "not_allowed";
    case FailureKind::NoSuchDatabase: return "no_such_database";
    case FailureKind::TlsVerification: return "tls_verification";
    case FailureKind::TlsUnavailable: return "tls_unavailable";
    case FailureKind::TooMany: return "too_many_connections";
    case FailureKind::StartingUp: return "starting_up";
    case FailureKind::WrongRole: return "wrong_role";
    case FailureKind::Lost: return "lost";
    case FailureKind::Configuration: return "configuration";
    case FailureKind::Statement: return "statement";
    case FailureKind::Other: return "other";
  }
  return "other";
}

bool is_permanent(FailureKind kind) {
  switch (kind) {
    case FailureKind::WrongPassword:
    case FailureKind::NotAllowed:
    case FailureKind::NoSuchDatabase:
    case FailureKind::TlsVerification:
    case FailureKind::TlsUnavailable:
    case FailureKind::Configuration: return true;
    case FailureKind::NameNotFound:
    case FailureKind::Unreachable:
    case FailureKind::TimedOut:
    case FailureKind::TooMany:
    case FailureKind::StartingUp:
    case FailureKind::WrongRole:
    case FailureKind::Lost:
    case FailureKind::Statement:
    case FailureKind::Other: return false;
  }
  return false;
}

std::string_view advice(FailureKind kind) {
  switch (kind) {
    case FailureKind::NameNotFound:
      return "check the spelling of the host in the URL, and that this machine's DNS knows it";
    case FailureKind::Unreachable:
      return "check host and port, that PostgreSQL runs there, and that a firewall lets this "
             "machine in";
    case FailureKind::TimedOut:
      return "check host, port and firewall; a server that wakes from sleep may need a larger "
             "connect_timeout";
    case FailureKind::WrongPassword:
      return "check user and password in the URL; special characters must be percent-encoded "
             "(@ is %40, # is %23)";
    case FailureKind::NotAllowed:
      return "check that the role exists and may log in, and that pg_hba.conf lets it in from "
             "this address";
    case FailureKind::NoSuchDatabase:
      return "check the database's name at the end of the URL, or create it with createdb";
    case FailureKind::TlsVerification:
      return "check sslmode and sslrootcert against the server's certificate; the host in the "
             "URL must be a name that the certificate bears";
    case FailureKind::TlsUnavailable:
      return "turn TLS on at the server (ssl = on), or set sslmode=prefer or disable where the "
             "network is trusted";
    case FailureKind::TooMany:
      return "end connections of others, or raise max_connections or the limit of the role or "
             "database; then pgweir keeps within what is left";
    case FailureKind::StartingUp: return "wait until the server has started, then try again";
    case FailureKind::WrongRole:
      return "check target_session_attrs, and which of the hosts is the primary";
    case FailureKind::Lost: return "look into the server's log for why it ended the connection";
    case FailureKind::Configuration: return "correct the setting and start again";
    case FailureKind::Statement: return "check what the role may read";
    case FailureKind::Other: return "look into the server's log for the reason";
  }
  return "";
}

std::string in_one_line(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (part.starts_with("LOCATION:") || part.starts_with(kLibpqHint)) continue;
    for (const char c : part) {
      const char plain = c == '\t' || c == '\r' ? ' ' : c;
      if (plain != ' ' || (!line.empty() && line.back() != ' ')) line += plain;
    }
    if (!line.empty() && line.back() != ' ') line += ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

Failure make_failure(FailureKind kind, std::string text) {
  return {kind, "", {code_of(kind), base::Side::Server, base::Retry::Never, std::move(text)}};
}

Failure make_failure(const base::Error& error) {
  const FailureKind kind = error.code == base::ErrorCode::Configuration ? FailureKind::Configuration
                                                                        : FailureKind::NameNotFound;
  return {kind, "", error};
}

Failure explain_connect_failure(std::string_view text) {
  const std::size_t at = find_sqlstate(text);
  if (at == std::string_view::npos) return make_failure(kind_of_text(text), in_one_line(text));
  const std::string sqlstate(text.substr(at, 5));
  std::string plain(text);
  plain.erase(at, 7);  // "28P01: "
  Failure failure = make_failure(kind_of_sqlstate(sqlstate), in_one_line(plain));
  failure.sqlstate = sqlstate;
  return failure;
}

Failure explain_statement_failure(std::string_view sqlstate, std::string_view text) {
  FailureKind kind = kind_of_sqlstate(sqlstate);
  if (kind != FailureKind::Lost)
    kind = sqlstate.empty() ? FailureKind::Lost : FailureKind::Statement;
  Failure failure = make_failure(kind, in_one_line(text));
  failure.sqlstate = std::string(sqlstate);
  return failure;
}

Failure explain_server_failure(std::string_view sqlstate, std::string_view text) {
  FailureKind kind = kind_of_sqlstate(sqlstate);
  if (sqlstate.starts_with("08")) kind = kind_of_text(text);
  if (sqlstate == "57014") kind = FailureKind::TimedOut;
  if (sqlstate == "42501") kind = FailureKind::Statement;
  Failure failure = make_failure(kind, in_one_line(text));
  failure.sqlstate = std::string(sqlstate);
  return failure;
}

}  // namespace pgweir::insight
