// Client: one connection of the load, driven by readiness of its socket. It never blocks. When an
// operation fails it is counted, and the client goes on: with ROLLBACK, or with a new connection
// if the old one is gone.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "operation.h"
#include "tally.h"

namespace pgweir::load {

// What all clients share.
struct Run {
  std::string url;
  Tally tally;
  std::chrono::steady_clock::time_point begin{};  // Set once everybody has connected.
  bool has_begun = false;
  bool is_over = false;  // Finish the current operation, then leave.

  Seconds now() const;
};

class Client {
 public:
  Client(Run& run, Kind kind);

  // Starts to connect. Until Run::has_begun the client then waits, except for kind Connect, which
  // has nothing to connect before.
  void start();
  // The socket is ready, or there is reason to look again.
  void handle_ready();
  // Starts to work if it does not: when the load begins, and a while after a failed login.
  void begin();

  int socket() const { return PQsocket(connection_.get()); }
  bool wants_write() const { return wants_write_; }
  bool wants_anything() const { return state_ == State::Connecting || state_ == State::Busy; }
  bool is_done() const { return state_ == State::Done; }

 private:
  enum class State : std::uint8_t { Idle, Connecting, Busy, Done };
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };

  void connect();
  void poll_connect();
  void begin_operation();
  void send();
  void read_results();
  bool read_copy_out();
  void take_result(const PGresult* result);
  void check_token(const PGresult* result);
  void end_step();
  void end_operation();
  void recover();
  void leave();
  void fail(const std::string& sqlstate, const std::string& message);
  // PQnoticeReceiver; `client` is a Client.
  static void hear_notice(void* client, const PGresult* notice);

  Run& run_;
  Progress progress_;
  State state_ = State::Idle;
  std::unique_ptr<PGconn, Finish> connection_;
  bool wants_write_ = false;
  bool is_rolling_back_ = false;
  bool has_failed_ = false;  // The current operation did.
  bool is_copying_out_ = false;
  int copied_rows_ = 0;
  Seconds began_ = 0;
  std::string
      farewell_;  // SQLSTATE of a FATAL that came between two queries: why what follows fails.
};

}  // namespace pgweir::load
