// Sandwich: plays all clients of a pooler and the PostgreSQL behind it, in one thread, so that what
// is measured is the pooler alone. It logs all clients in, lets them work, first unmeasured, and
// adds up what they see. In the end everybody leaves in order, so that the pooler is fit for the
// next run. Whether the numbers are good is for the caller to say.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_queue.h"
#include "base/io.h"
#include "canned_server.h"
#include "played_client.h"
#include "tally.h"
#include "workload.h"

namespace pgweir::bench {

struct Plan {
  base::Endpoint pooler;
  std::string user = "bench";
  std::string database = "bench";
  std::size_t client_count = 8;
  Workload workload;
  base::Duration warm_up = std::chrono::seconds(1);
  base::Duration measured = std::chrono::seconds(3);
  base::Duration patience = std::chrono::seconds(30);  // For all logins.
  std::vector<int> pooler_pids;
};

class Sandwich final : public base::Handler {
 public:
  Sandwich(base::Io& io, Plan plan);

  // Connects the clients. Before the loop turns.
  void begin(base::Instant now);
  bool is_over() const { return phase_ == Phase::Over; }
  // Once it is over: the numbers, or what went wrong.
  const std::optional<std::string>& mistake() const { return mistake_; }
  std::string result() const;

  void handle_accepted(base::ConnectionId id, const base::PeerAddress& peer,
                       base::Instant now) override;
  void handle_opened(base::ConnectionId id, base::Instant now) override;
  void handle_secured(base::ConnectionId, const base::TlsInfo&, base::Instant) override {}
  void handle_bytes(base::ConnectionId id, base::Bytes bytes, base::Instant now) override;
  void handle_writable(base::ConnectionId id, base::Instant now) override;
  void handle_closed(base::ConnectionId id, base::CloseCause cause, std::string_view detail,
                     base::Instant now) override;
  void handle_parcel(base::ConnectionId, std::unique_ptr<base::Parcel>, base::Instant) override {}
  void handle_wake(base::Instant now) override;

 private:
  enum class Phase : std::uint8_t { Connecting, WarmingUp, Measuring, Leaving, Over };
  struct Party {
    std::optional<std::size_t> client;  // Its number; empty: a server.
    std::unique_ptr<CannedServer> server;
    base::ByteQueue outbox;
    base::Instant resting_since = base::kNever;  // Of a server that has answered everything.
  };

  void serve(base::ConnectionId id, Party& party, base::Bytes bytes, base::Instant now);
  void take_answer(base::ConnectionId id, Party& party, base::Bytes bytes, base::Instant now);
  void send(base::ConnectionId id, Party& party, base::Bytes bytes);
  void begin_turn(base::ConnectionId id, Party& party, base::Instant now);
  void begin_work(base::Instant now);
  void leave(base::ConnectionId id, Party& party, base::Instant now);
  void end();
  void fail(std::string what);

  base::Io& io_;
  const Plan plan_;
  Phase phase_ = Phase::Connecting;
  std::map<base::ConnectionId, Party> parties_;
  std::deque<PlayedClient> clients_;
  std::size_t logged_in_ = 0;
  std::size_t left_ = 0;
  std::uint32_t last_pid_ = 0;
  base::Instant measured_since_;
  base::Instant measured_until_;
  std::chrono::nanoseconds cpu_{};  // Of the pooler: at the beginning, at the end between both.
  Tally tally_;
  std::optional<std::string> mistake_;
  base::ByteBuffer scratch_;
};

}  // namespace pgweir::bench
