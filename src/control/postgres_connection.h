// PostgresConnection: one libpq connection that never blocks, driven by a Loop. One statement at a
// time, results as text. It is for the control thread's few statements; clients' statements go
// through session/. What it reports never contains a password.
// Source of truth: PostgreSQL 15 manual, sections 34.1 (PQconnectPoll) and 34.4 (asynchronous).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "config/connection_parameters.h"
#include "insight/failure.h"
#include "loop/loop.h"

struct pg_conn;
struct pg_result;

namespace pgweir::control {

using Row = std::vector<std::optional<std::string>>;  // nullopt: SQL's NULL.
using Rows = std::vector<Row>;
using Answer = std::variant<Rows, insight::Failure>;

struct Statement {
  std::string text;
  std::vector<std::string> parameters;  // $1, $2, … as text; the server finds out their types.
  base::Duration time_max = std::chrono::seconds(5);
};

// How a connection is protected, as libpq says it.
struct TlsFacts {
  bool is_used = false;
  std::string version;  // "TLSv1.3".
  std::string cipher;
};

// Where a server of this machine was reached over TCP.
struct LocalPeer {
  std::string address;  // As libpq was told.
  std::uint16_t port = 0;
};

class PostgresConnection {
 public:
  using Connected = std::function<void(std::optional<insight::Failure>)>;
  using Answered = std::function<void(Answer)>;
  using Lost = std::function<void(insight::Failure)>;
  using Ended = std::function<void(bool is_proven)>;

  // loop: outlives the connection.
  explicit PostgresConnection(loop::Loop& loop) : loop_(loop) {}
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;
  // Closes without waiting for the server's end, and calls nobody.
  ~PostgresConnection() { release(); }

  // Callbacks are called from the loop's turn, never from inside a call; each may destroy the
  // connection.

  // REQUIRES: never connected before.
  void connect(config::ConnectionParameters parameters, Connected connected);

  // A statement that takes longer than its time_max fails with TimedOut and ends the connection:
  // a server that does not answer about itself is not worth a second thread for PQcancel.
  // REQUIRES: is_idle().
  void query(const Statement& statement, Answered answered);

  // Called when the server ends the connection while no statement runs.
  void when_lost(Lost lost) { lost_ = std::move(lost); }

  // Says goodbye. `ended` is called when the server has closed its end, with true, or when that
  // could not be seen for 10 s, with false; at once and with true when no server was ever reached.
  // Nothing else is called any more, and the connection may be destroyed meanwhile.
  // REQUIRES: not closed before.
  void close(Ended ended);

  bool is_connected() const { return state_ == State::Idle || state_ == State::Busy; }
  bool is_idle() const { return state_ == State::Idle; }
  int pid() const { return pid_; }  // From BackendKeyData; 0 before. It outlives the connection.
  int server_version() const;       // 150020 for 15.20.
  TlsFacts tls() const;
  // Nothing if the server is on another machine, or was reached over a Unix socket.
  std::optional<LocalPeer> local_peer() const;

 private:
  enum class State : std::uint8_t { Closed, Connecting, Idle, Busy, Left };

  void begin();
  void step_connect();
  void fail_connect(insight::Failure failure);
  void handle_ready();
  void read_results(bool has_failed);
  void finish_statement(Answer answer);
  void handle_lost();
  void watch(loop::Interest interest);
  void unwatch();
  void keep_witness();
  void release();

  loop::Loop& loop_;
  State state_ = State::Closed;
  pg_conn* connection_ = nullptr;
  int pid_ = 0;
  int watched_ = -1;
  int witness_ = -1;  // Duplicate of the newest connected socket, for loop::await_end().
  loop::TimerId timer_ = loop::TimerId::None;
  config::ConnectionParameters parameters_;
  std::optional<Answer> answer_;  // What has arrived of the running statement's.
  Connected connected_;
  Answered answered_;
  Lost lost_;
};

}  // namespace pgweir::control
