// Sandwich: plays all clients of a pooler and the PostgreSQL behind it, in one thread, so that what
// is measured is the pooler alone. It keeps the connections and compares what comes back; when a
// client does what, and what is measured, is its Scenario's to say. In the end everybody leaves in
// order, so that the pooler is fit for the next run.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "agenda.h"
#include "base/byte_queue.h"
#include "base/io.h"
#include "canned_server.h"
#include "plan.h"
#include "played_client.h"
#include "scenario.h"

namespace pgweir::bench {

class Sandwich final : public base::Handler {
 public:
  Sandwich(base::Io& io, const Plan& plan);

  // Until then only PostgreSQL is played. The scenario outlives the run.
  void begin(Scenario& scenario, base::Instant now);
  bool is_over() const { return is_over_; }
  // Once it is over: what went wrong.
  const std::optional<std::string>& mistake() const { return mistake_; }

  // For the scenario. Clients are numbered in the order in which they were added.
  std::size_t add_client(const Workload& workload);
  const PlayedClient& client(std::size_t number) const { return roles_[number].client; }
  // Connects and logs in; REQUIRES: it is not connected.
  void connect(std::size_t client);
  // Its next request; REQUIRES: it is idle.
  void ask(std::size_t client, base::Instant now);
  // Says goodbye and hangs up; REQUIRES: it is connected.
  void leave(std::size_t client, base::Instant now);
  // Hangs up without a word; REQUIRES: it is connected.
  void cut_off(std::size_t client, base::Instant now);
  // From now on it takes no more than that from its socket.
  void read_slowly(std::size_t client, std::size_t bytes_per_second);
  // Whoever says from outside when to do what; its words go to the scenario.
  void call_conductor(const base::Endpoint& conductor);
  void tell_conductor(std::string_view text);
  void do_at(base::Instant when, Agenda::Task task);
  // Everybody leaves once answered; then the run is over, and nothing is told any more.
  void dismiss(base::Instant now);
  void fail(std::string what);

  void handle_accepted(base::ConnectionId id, const base::PeerAddress& peer,
                       base::Instant now) override;
  void handle_opened(base::ConnectionId id, base::Instant now) override;
  void handle_secured(base::ConnectionId id, const base::TlsInfo& tls, base::Instant now) override;
  void handle_bytes(base::ConnectionId id, base::Bytes bytes, base::Instant now) override;
  void handle_writable(base::ConnectionId id, base::Instant now) override;
  void handle_closed(base::ConnectionId id, base::CloseCause cause, std::string_view detail,
                     base::Instant now) override;
  void handle_parcel(base::ConnectionId, std::unique_ptr<base::Parcel>, base::Instant) override {}
  void handle_wake(base::Instant now) override;

 private:
  struct Role {
    PlayedClient client;
    base::ConnectionId id = base::ConnectionId::None;
    std::size_t bytes_per_second = 0;  // That it reads; 0: all there is.
  };
  struct Party {
    std::optional<std::size_t> client;  // Its number; empty: a server.
    std::unique_ptr<CannedServer> server;
    bool has_asked_tls = false;  // A client that waits for the pooler's word on it.
    base::ByteQueue outbox;
    // Of a server.
    base::Instant busy_until;                    // With what it answers late.
    base::Instant resting_since = base::kNever;  // It has answered everything.
  };

  void log_in(base::ConnectionId id, Party& party, const base::TlsInfo* tls);
  void begin_tls(base::ConnectionId id, Party& party, base::Bytes bytes);
  void serve(base::ConnectionId id, Party& party, base::Bytes bytes, base::Instant now);
  void answer_late(base::ConnectionId id, Party& party, base::Duration delay, base::Instant now);
  void rest_from_reading(const Role& role, std::size_t bytes, base::Instant now);
  void take_answer(std::size_t client, base::Bytes bytes, base::Instant now);
  void lose(std::size_t client, std::string_view why, base::Instant now);
  void send(base::ConnectionId id, Party& party, base::Bytes bytes);
  void count_out(Role& role, base::Instant now);
  void keep_watch(base::Instant now);
  void end();

  base::Io& io_;
  const Plan& plan_;
  Scenario* scenario_ = nullptr;
  Identity identity_;
  Agenda agenda_;
  base::ConnectionId conductor_ = base::ConnectionId::None;
  std::unordered_map<base::ConnectionId, Party> parties_;
  std::deque<Role> roles_;
  std::size_t present_ = 0;     // Clients that are connected or on their way.
  std::uint64_t outcomes_ = 0;  // What clients have heard in the end, of whatever kind …
  std::uint64_t watched_ = 0;   // … and how much of it at the last look.
  std::uint32_t last_server_ = 0;
  bool is_leaving_ = false;
  bool is_over_ = false;
  std::optional<std::string> mistake_;
  base::ByteBuffer scratch_;
};

}  // namespace pgweir::bench
