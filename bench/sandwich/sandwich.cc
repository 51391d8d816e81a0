#include "sandwich.h"

#include <utility>

#include "meter.h"
#include "wire/query.h"

namespace pgweir::bench {

namespace {

// What the pooler does with its servers once the last client has gone.
constexpr base::Duration kFarewell = std::chrono::milliseconds(200);

}  // namespace

Sandwich::Sandwich(base::Io& io, Plan plan)
    : io_(io), plan_(std::move(plan)), tally_(plan_.client_count) {
  for (std::size_t i = 0; i < plan_.client_count; ++i) clients_.emplace_back(plan_.workload, i);
}

void Sandwich::begin(base::Instant now) {
  for (std::size_t i = 0; i < plan_.client_count; ++i) {
    parties_[io_.open(plan_.pooler)].client = i;
  }
  io_.wake_at(now + plan_.patience);
}

std::string Sandwich::result() const {
  return tally_.to_json(measured_until_ - measured_since_, cpu_);
}

void Sandwich::handle_accepted(base::ConnectionId id, const base::PeerAddress&, base::Instant) {
  parties_[id].server = std::make_unique<CannedServer>(++last_pid_);
}

void Sandwich::handle_opened(base::ConnectionId id, base::Instant) {
  Party& party = parties_.at(id);
  scratch_.clear();
  clients_[*party.client].begin_login(plan_.user, plan_.database, scratch_);
  send(id, party, scratch_);
}

void Sandwich::handle_bytes(base::ConnectionId id, base::Bytes bytes, base::Instant now) {
  const auto at = parties_.find(id);
  if (at == parties_.end() || is_over()) return;
  if (at->second.client) {
    take_answer(id, at->second, bytes, now);
  } else {
    serve(id, at->second, bytes, now);
  }
}

void Sandwich::serve(base::ConnectionId id, Party& party, base::Bytes bytes, base::Instant now) {
  if (phase_ == Phase::Measuring && party.resting_since != base::kNever) {
    tally_.add_server_gap(now - party.resting_since);
  }
  party.resting_since = base::kNever;
  scratch_.clear();
  const std::uint64_t syncs = party.server->sync_count();
  if (!party.server->handle_bytes(bytes, scratch_)) {
    io_.close(id);
    parties_.erase(id);
    return;
  }
  send(id, party, scratch_);
  if (party.server->sync_count() != syncs) party.resting_since = now;
}

void Sandwich::take_answer(base::ConnectionId id, Party& party, base::Bytes bytes,
                           base::Instant now) {
  PlayedClient& client = clients_[*party.client];
  switch (client.handle_bytes(bytes)) {
    case PlayedClient::Outcome::Underway: return;
    case PlayedClient::Outcome::Wrong: return fail(client.what());
    case PlayedClient::Outcome::LoggedIn:
      if (++logged_in_ == clients_.size()) begin_work(now);
      return;
    case PlayedClient::Outcome::Answered:
      if (phase_ == Phase::Measuring) {
        tally_.add_turn(*party.client, client.transaction_count(), now - client.began_at());
      }
      return phase_ == Phase::Leaving ? leave(id, party, now) : begin_turn(id, party, now);
  }
}

void Sandwich::begin_work(base::Instant now) {
  phase_ = Phase::WarmingUp;
  io_.wake_at(now + plan_.warm_up);
  for (auto& [id, party] : parties_) {
    if (party.client) begin_turn(id, party, now);
  }
}

void Sandwich::begin_turn(base::ConnectionId id, Party& party, base::Instant now) {
  scratch_.clear();
  clients_[*party.client].begin_turn(now, scratch_);
  send(id, party, scratch_);
}

void Sandwich::send(base::ConnectionId id, Party& party, base::Bytes bytes) {
  if (bytes.empty()) return;  // An empty offer would be a question.
  const std::size_t taken = party.outbox.empty() ? io_.try_send(id, bytes) : 0;
  party.outbox.push(bytes.subspan(taken));
}

void Sandwich::handle_writable(base::ConnectionId id, base::Instant) {
  const auto at = parties_.find(id);
  if (at == parties_.end()) return;
  base::ByteQueue& outbox = at->second.outbox;
  if (outbox.empty()) return;
  outbox.pop(io_.try_send(id, outbox.bytes()));
}

void Sandwich::handle_closed(base::ConnectionId id, base::CloseCause, std::string_view detail,
                             base::Instant) {
  const auto at = parties_.find(id);
  if (at == parties_.end() || is_over()) return;
  const std::optional<std::size_t> client = at->second.client;
  parties_.erase(at);
  if (client) fail("client " + std::to_string(*client) + " was cut off; " + std::string(detail));
}

void Sandwich::handle_wake(base::Instant now) {
  switch (phase_) {
    case Phase::Connecting:
      return fail("only " + std::to_string(logged_in_) + " clients could log in");
    case Phase::WarmingUp:
      phase_ = Phase::Measuring;
      measured_since_ = now;
      cpu_ = cpu_time_of(plan_.pooler_pids);
      io_.wake_at(now + plan_.measured);
      return;
    case Phase::Measuring:
      cpu_ = cpu_time_of(plan_.pooler_pids) - cpu_;
      measured_until_ = now;
      phase_ = Phase::Leaving;
      io_.wake_at(now + plan_.patience);
      return;
    case Phase::Leaving: return end();
    case Phase::Over: return;
  }
}

// It has got its last answer.
void Sandwich::leave(base::ConnectionId id, Party& party, base::Instant now) {
  scratch_.clear();
  wire::encode_terminate(scratch_);
  send(id, party, scratch_);
  io_.close(id);
  parties_.erase(id);
  if (++left_ == clients_.size()) io_.wake_at(now + kFarewell);
}

void Sandwich::end() {
  if (left_ != clients_.size()) {
    return fail(std::to_string(clients_.size() - left_) + " clients were never answered");
  }
  for (const auto& [id, party] : parties_) io_.close(id);
  phase_ = Phase::Over;
}

void Sandwich::fail(std::string what) {
  mistake_ = std::move(what);
  phase_ = Phase::Over;
}

}  // namespace pgweir::bench
