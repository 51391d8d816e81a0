// Client: one simulated application that talks to pgweir: it logs in, runs a program of random
// units and leaves, politely or not; then it comes back as somebody else. It accepts no answer but
// its own and complete one, and no settings but its own. Its units are programs.h.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "auth/server_authenticator.h"
#include "base/byte_queue.h"
#include "sim/link.h"
#include "sim/script.h"
#include "wire/frame.h"
#include "wire/report.h"
#include "wire/startup.h"

namespace pgweir::sim {

// What all clients of a simulation have in common.
struct ClientRules {
  bool may_lose_servers = false;   // FATAL 08006 and 57P01 are to be expected.
  bool may_be_refused = false;     // 53300 is to be expected.
  bool may_idle_too_long = false;  // 25P03 is to be expected.
  bool is_idling_ended = false;    // 25P03 must come, whether anybody waits or not.
  // Within which the first answer to a unit must come; zero: nobody can say.
  base::Duration answer_max{};
  // A full socket when the connection ends: the last words may be cut off.
  bool may_be_cut = false;
  bool keeps_server = false;      // Session mode.
  bool may_keep_names = false;    // Whoever prepares a statement may keep its server.
  bool reads_apart = false;       // Clients differ in what decides what a literal means.
  bool is_odd = false;            // Does what drivers do not, but may do.
  bool has_parameters = true;     // Some of its own in its startup message.
  double dawdles = 0.1;           // Per unit: thinks for long before it.
  bool has_session_state = true;  // LISTEN and temporary tables are part of programs.
  std::size_t units_min = 1;
  std::size_t units_max = 12;
  std::size_t lives_max = 3;
  std::array<double, 16> weights{};  // Of the kinds of units, see programs.cc.
};

class Client;

// Where clients connect to.
class Door {
 public:
  virtual ~Door() = default;
  virtual World& world() = 0;
  virtual void enter(const std::shared_ptr<Link>& link) = 0;
  virtual auth::SaltedPasswordCache& passwords() = 0;
  // Numbers of clients are never used twice.
  virtual std::uint32_t next_number() = 0;
  // Set once pgweir was told to end: from when on it may cut transactions.
  virtual std::optional<base::Instant> cuts_at() const = 0;
  // Since when the database is not configured, or nullopt; and whether it ever was not.
  virtual std::optional<base::Instant> removed_at(const std::string& database) const = 0;
  virtual bool was_removed(const std::string& database) const = 0;
  virtual bool was_executed(Mark mark) const = 0;
  // This was said with a good-bye, by a client that had a server.
  virtual void note_last_words(Mark mark) = 0;
  // It has sent a unit.
  virtual void note_asked(const Client& client) = 0;
};

class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(Door& door, ClientRules rules, std::string database, std::string user);

  void start();
  // Finishes what is under way and then leaves for good.
  void wind_down();
  bool is_done() const { return phase_ == Phase::Done; }
  std::string describe() const;
  std::uint64_t answered_count() const { return answered_count_; }
  const std::string& database() const { return database_; }
  const std::string& user() const { return user_; }
  std::uint32_t number() const { return number_; }
  // Since when nothing has come of what it asked, for which it needs a server that it does not
  // have; kNever: it needs none, or nobody can tell.
  base::Instant waits_since() const;

 private:
  enum class Phase : std::uint8_t { Away, LoggingIn, Ready, Busy, Done };

  // client.cc: the connection.
  void connect();
  void send_startup();
  void choose_parameters(wire::Parameters& parameters, Settings& defaults);
  void read();
  void take_frames();
  void handle_frame(const wire::Frame& frame);
  void handle_authentication(base::Bytes body);
  void write(base::Bytes bytes);
  void push();
  void leave(bool is_polite);
  void hang_up();
  void come_back();
  void write_in_parts(base::Bytes bytes);
  bool holds_server() const;
  void leave_with_last_words();
  void half_close();

  // client_end.cc
  void handle_end(End end);
  void handle_farewell(const wire::Report& report);
  void check_departure(base::Instant cuts_at) const;
  void check_belonging() const;

  // client_answers.cc: what must come, and what came.
  void handle_reply(const wire::Frame& frame);
  void check_delay();
  void handle_notice(const wire::Report& report) const;
  void handle_error(const wire::Report& report);
  bool may_happen(const wire::Report& report) const;
  bool is_at_rest() const;
  void check_row(const Expected& expected, const wire::Frame& frame) const;
  void check_copy_line(const Expected& expected, const wire::Frame& frame) const;
  void take_completion(const Expected& expected, const wire::Frame& frame);
  void note_reading();
  void take_ready(const wire::Frame& frame);
  void send_copy_data(const Statement& statement);
  void finish_unit();
  [[noreturn]] void complain(const std::string& what) const;

  // client_cancel.cc
  void cancel_soon();
  void guess_cancel_soon();
  void send_cancel(const wire::CancelKey& key, bool is_own);

  // programs.cc: what it asks.
  void think();
  void begin_unit();
  void compose(Script& script);
  void compose_in_block(Script& script);
  void compose_extended(Script& script, bool is_named);
  void compose_pipeline(Script& script);
  void compose_failed_batch(Script& script);
  void compose_state_change(Script& script);
  std::string random_state_change();
  void compose_session_state(Script& script);
  void compose_mistake(Script& script);
  void compose_names(Script& script);
  void run_extended(Script& script, const std::string& text);
  void send_unit();
  std::string mark();
  std::string select();
  std::string nap();
  std::string random_named_text();
  std::string random_set(bool is_local);

  Door& door_;
  World& world_;
  const ClientRules rules_;
  const std::string database_;
  const std::string user_;
  std::uint32_t number_ = 0;
  std::uint32_t sequence_ = 0;
  std::size_t lives_ = 0;

  Phase phase_ = Phase::Away;
  bool is_winding_down_ = false;
  bool is_slow_ = false;
  bool is_reading_soon_ = false;
  std::shared_ptr<Link> link_;
  std::uint64_t life_ = 0;  // Events of an earlier connection are ignored.
  base::ByteQueue inbox_;
  base::ByteQueue outbox_;
  std::optional<auth::ServerAuthenticator> authenticator_;
  wire::CancelKey key_;
  std::optional<wire::Report> farewell_;  // The FATAL that pgweir ended the connection with.

  std::optional<SessionModel> session_;
  Settings reported_;  // ParameterStatus as last received.
  std::map<std::string, std::string> prepared_;
  // By the statement's name: how the client has read literals since it prepared it.
  std::map<std::string, std::set<std::string>> readings_;
  Script script_;
  std::size_t units_left_ = 0;
  std::size_t unit_ = 0;
  base::Instant began_at_{};               // The unit.
  base::Instant asked_at_ = base::kNever;  // When the unit was sent, until its first answer.
  bool is_batch_open_ = false;             // Sync is due: the unit only flushed.
  bool is_in_error_ = false;               // An error came, its ReadyForQuery has not.
  bool has_called_function_ = false;       // What that has left behind pgweir does not know.
  bool is_extended_copy_ = false;          // The unit's COPY IN is followed by a second Sync.
  bool is_waiting_for_cancel_ = false;
  bool is_half_closed_ = false;  // Says nothing more, but listens.
  base::ByteBuffer rest_;        // Of a write that stopped in the middle of a message.

  std::size_t cancels_pending_ = 0;
  std::size_t cancellable_unit_ = 0;  // Up to which a cancel may have struck.
  std::uint64_t answered_count_ = 0;
};

}  // namespace pgweir::sim
