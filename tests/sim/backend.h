// Backend: one process of the simulated PostgreSQL, from the accepted connection to its exit. It
// works as postgres.c does where a pooler could tell: one message at a time, no reading while it
// writes or runs, replies held back until Flush or Sync, everything skipped to Sync after an error.
// It fails the simulation when it notices that two clients share it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "auth/client_authenticator.h"
#include "base/byte_queue.h"
#include "sim/ledger.h"
#include "sim/link.h"
#include "sim/sql.h"
#include "wire/frame.h"
#include "wire/query.h"
#include "wire/report.h"
#include "wire/startup.h"

namespace pgweir::sim {

class Backend;

// What a backend needs of its server.
class Host {
 public:
  virtual ~Host() = default;
  virtual World& world() = 0;
  virtual Ledger& ledger() = 0;
  // Takes a slot for this backend; nullopt if it may, else what it must tell the client.
  virtual std::optional<wire::Report> enter(Backend& backend) = 0;
  virtual void handle_exit(Backend& backend) = 0;
  virtual void cancel(const wire::CancelKey& key) = 0;
  virtual auth::ClientAuthOptions auth_options(const std::string& user) = 0;
};

class Backend : public std::enable_shared_from_this<Backend> {
 public:
  Backend(Host& host, std::shared_ptr<Link> link, std::uint32_t pid);

  void start();
  // A CancelRequest with its key was received.
  void interrupt();
  // pg_terminate_backend, or the server goes down.
  void terminate(std::string_view sqlstate, std::string_view message);
  // Says something that nobody has asked for, unless it has anything else to do.
  void mutter();
  // Ends without a word, as after a crash: the connection is reset.
  void crash();

  std::uint32_t pid() const { return pid_; }
  std::uint32_t secret() const { return secret_; }
  const std::string& user() const { return user_; }
  const std::string& database() const { return database_; }
  bool is_dead() const { return phase_ == Phase::Dead; }
  // Logged in, and nothing under way or left behind by a client.
  bool is_at_rest() const;
  // Since when it has been so, at least; kNever: it is not.
  base::Instant rests_since() const { return is_at_rest() ? last_work_ : base::kNever; }
  std::string describe() const;

  bool has_slot = false;  // Written by the host.

 private:
  enum class Phase : std::uint8_t { Startup, Authentication, Session, Dead };
  struct Prepared {
    std::string text;
    std::string reading;
  };
  struct Portal {
    std::string text;
    std::string reading;
    std::string argument;
    std::optional<Statement> statement;  // nullopt: an empty text.
  };

  // backend.cc: the connection.
  void work();
  bool take_packet();
  bool take_message();
  void begin_session(const wire::StartupMessage& message);
  void handle_password(const wire::Frame& frame);
  void conclude(auth::ClientAuthenticator::Outcome outcome);
  void welcome();
  void flush();
  void push();
  void fatal(const wire::Report& report);
  void exit(End end);
  void exit_soon();

  // backend_query.cc: what it is asked.
  void handle_message(const wire::Frame& frame);
  void handle_copy_message(const wire::Frame& frame);
  void check_late_data(Mark mark) const;
  void handle_query(std::string_view text);
  void handle_parse(const wire::ParseMessage& message);
  void handle_bind(base::Bytes body);
  void handle_describe(const wire::Target& target);
  void handle_execute(const wire::ExecuteMessage& message);
  void handle_close(const wire::Target& target);
  void handle_function_call(base::Bytes body);
  void run_next_of_text();
  void run(Statement statement, const Portal& portal);
  std::optional<wire::Report> objection(const Statement& statement) const;
  void note(Mark mark);
  void finish_running();
  // Whether the session has any of what pgweir asks about.
  bool is_left(std::string_view question) const;
  void carry_out(const Statement& statement);
  void remark(std::string_view severity, std::string_view sqlstate, Mark mark);
  void produce();
  void complete(const std::string& tag);
  void raise(const wire::Report& report);
  void ready();
  void report_settings();
  void encode_row(const std::string& value);
  void describe_statement(const std::string& text);

  Host& host_;
  World& world_;
  std::shared_ptr<Link> link_;
  const std::uint32_t pid_;
  std::uint32_t secret_ = 0;
  Phase phase_ = Phase::Startup;
  std::string user_;
  std::string database_;
  std::optional<auth::ClientAuthenticator> authenticator_;
  bool is_exiting_ = false;
  bool is_dismissed_ = false;  // It was sent Terminate.
  bool is_working_ = false;
  base::Instant last_work_{};

  base::ByteQueue inbox_;
  base::ByteBuffer reply_;  // Not flushed yet.
  base::ByteQueue outbox_;  // Flushed, and more than the socket takes.

  SessionModel session_{server_settings()};
  std::map<std::string, Prepared> prepared_;
  std::map<std::string, Portal> portals_;
  Settings told_;  // ParameterStatus as last sent.

  struct Running {
    Statement statement;
    std::string text;
    std::string reading;  // As it was when the text was parsed.
    std::string argument;
    std::size_t produced = 0;
    bool is_producing = false;
  };
  std::optional<Running> running_;
  std::uint64_t run_generation_ = 0;
  std::deque<Statement> rest_of_text_;
  bool is_simple_ = false;
  bool is_copying_in_ = false;
  bool skips_to_sync_ = false;
  bool is_batch_open_ = false;
  bool is_interrupted_ = false;

  std::uint32_t owner_ = 0;  // The client whose transaction, batch or state this is.
};

}  // namespace pgweir::sim
