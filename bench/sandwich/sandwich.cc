#include "sandwich.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "wire/query.h"
#include "wire/startup.h"

namespace pgweir::bench {

namespace {

// What the pooler does with its servers once the last client has gone.
constexpr base::Duration kFarewell = std::chrono::milliseconds(200);

}  // namespace

Sandwich::Sandwich(base::Io& io, const Plan& plan)
    : io_(io), plan_(plan), identity_(plan.user, plan.password) {}

void Sandwich::begin(Scenario& scenario, base::Instant now) {
  scenario_ = &scenario;
  keep_watch(now);
  scenario.begin(now);
}

std::size_t Sandwich::add_client(const Workload& workload) {
  roles_.push_back({.client = PlayedClient(workload, roles_.size())});
  return roles_.size() - 1;
}

void Sandwich::connect(std::size_t client) {
  Role& role = roles_[client];
  ASSERT(role.id == base::ConnectionId::None);
  role.id = io_.open(plan_.pooler);
  parties_[role.id].client = client;
  ++present_;
}

void Sandwich::ask(std::size_t client, base::Instant now) {
  Role& role = roles_[client];
  scratch_.clear();
  role.client.begin_turn(now, scratch_);
  send(role.id, parties_.at(role.id), scratch_);
}

void Sandwich::leave(std::size_t client, base::Instant now) {
  Role& role = roles_[client];
  scratch_.clear();
  wire::encode_terminate(scratch_);
  send(role.id, parties_.at(role.id), scratch_);
  cut_off(client, now);
}

void Sandwich::cut_off(std::size_t client, base::Instant now) {
  Role& role = roles_[client];
  io_.close(role.id);
  parties_.erase(role.id);
  count_out(role, now);
}

void Sandwich::read_slowly(std::size_t client, std::size_t bytes_per_second) {
  roles_[client].bytes_per_second = bytes_per_second;
}

void Sandwich::call_conductor(const base::Endpoint& conductor) { conductor_ = io_.open(conductor); }

void Sandwich::tell_conductor(std::string_view text) {
  io_.try_send(conductor_, base::as_bytes(text));
}

void Sandwich::do_at(base::Instant when, Agenda::Task task) {
  agenda_.add(when, std::move(task));
  io_.wake_at(agenda_.next());
}

void Sandwich::dismiss(base::Instant now) {
  is_leaving_ = true;
  if (present_ == 0) return do_at(now + kFarewell, [this](base::Instant) { end(); });
  for (std::size_t i = 0; i < roles_.size(); ++i) {
    if (roles_[i].id != base::ConnectionId::None && roles_[i].client.is_idle()) leave(i, now);
  }
}

void Sandwich::count_out(Role& role, base::Instant now) {
  role.id = base::ConnectionId::None;
  if (--present_ == 0 && is_leaving_) {
    do_at(now + kFarewell, [this](base::Instant) { end(); });
  }
}

void Sandwich::end() {
  for (const auto& [id, party] : parties_) io_.close(id);
  is_over_ = true;
}

void Sandwich::fail(std::string what) {
  if (!mistake_) mistake_ = std::move(what);
  is_over_ = true;
}

// So that a pooler that has gone quiet fails its run instead of prolonging it.
void Sandwich::keep_watch(base::Instant now) {
  do_at(now + plan_.patience + plan_.measured, [this](base::Instant later) {
    // A conductor takes the time that it needs.
    const bool is_conducted = conductor_ != base::ConnectionId::None;
    if (std::exchange(watched_, outcomes_) != outcomes_ || is_conducted) return keep_watch(later);
    fail(
        "nothing comes any more; " + std::to_string(present_) + " clients are waiting, " +
        std::to_string(std::count_if(roles_.begin(), roles_.end(),
                                     [](const Role& role) { return role.client.is_logged_in(); })) +
        " of " + std::to_string(roles_.size()) + " are logged in");
  });
}

void Sandwich::handle_accepted(base::ConnectionId id, const base::PeerAddress&, base::Instant) {
  parties_[id].server = std::make_unique<CannedServer>(++last_server_, plan_.server_has_tls);
}

void Sandwich::handle_opened(base::ConnectionId id, base::Instant) {
  if (id == conductor_) return;
  Party& party = parties_.at(id);
  if (plan_.tls == nullptr) return log_in(id, party, nullptr);
  party.has_asked_tls = true;
  scratch_.clear();
  wire::encode_ssl_request(scratch_);
  send(id, party, scratch_);
}

void Sandwich::log_in(base::ConnectionId id, Party& party, const base::TlsInfo* tls) {
  scratch_.clear();
  roles_[*party.client].client.begin_login(identity_, plan_.database_of(*party.client), tls,
                                           scratch_);
  send(id, party, scratch_);
}

void Sandwich::begin_tls(base::ConnectionId id, Party& party, base::Bytes bytes) {
  if (base::as_text(bytes) != "S") return fail("the pooler does not speak TLS");
  party.has_asked_tls = false;
  io_.start_tls(id, {.role = base::TlsRequest::Role::Connect, .setup = plan_.tls, .host = {}});
}

void Sandwich::handle_secured(base::ConnectionId id, const base::TlsInfo& tls, base::Instant) {
  const auto at = parties_.find(id);
  if (at == parties_.end() || is_over()) return;
  if (at->second.client) log_in(id, at->second, &tls);
}

void Sandwich::handle_bytes(base::ConnectionId id, base::Bytes bytes, base::Instant now) {
  if (id == conductor_ && !is_over()) return scenario_->handle_order(base::as_text(bytes), now);
  const auto at = parties_.find(id);
  if (at == parties_.end() || is_over()) return;
  if (at->second.has_asked_tls) {
    begin_tls(id, at->second, bytes);
  } else if (at->second.client) {
    take_answer(*at->second.client, bytes, now);
  } else {
    serve(id, at->second, bytes, now);
  }
}

void Sandwich::serve(base::ConnectionId id, Party& party, base::Bytes bytes, base::Instant now) {
  CannedServer& server = *party.server;
  if (scenario_ != nullptr && party.resting_since != base::kNever) {
    scenario_->handle_server_gap(now - party.resting_since);
  }
  party.resting_since = base::kNever;
  scratch_.clear();
  const bool was_logged_in = server.is_logged_in();
  const std::uint64_t requests = server.request_count();
  const std::uint64_t syncs = server.sync_count();
  if (!server.handle_bytes(bytes, scratch_)) {
    io_.close(id);
    parties_.erase(id);
    return;
  }
  base::Duration delay{};
  if (!was_logged_in && server.is_logged_in()) delay = plan_.login_delay;
  if (server.request_count() != requests) {
    delay = plan_.service_time * static_cast<int>(server.request_count() - requests);
    scenario_->handle_request_served(server.pid(), now);
  }
  if (delay > base::Duration::zero() || party.busy_until > now) {
    return answer_late(id, party, delay, now);
  }
  send(id, party, scratch_);
  if (server.begins_tls()) io_.start_tls(id, {});
  if (server.sync_count() != syncs) party.resting_since = now;
}

// What scratch_ holds, after what is late already.
void Sandwich::answer_late(base::ConnectionId id, Party& party, base::Duration delay,
                           base::Instant now) {
  party.busy_until = std::max(party.busy_until, now) + delay;
  do_at(party.busy_until, [this, id, answer = scratch_](base::Instant later) {
    const auto at = parties_.find(id);
    if (at == parties_.end()) return;
    send(id, at->second, answer);
    if (at->second.busy_until <= later) at->second.resting_since = later;
  });
}

void Sandwich::rest_from_reading(const Role& role, std::size_t bytes, base::Instant now) {
  const base::ConnectionId id = role.id;
  io_.pause(id);
  do_at(now + std::chrono::nanoseconds(std::chrono::seconds(bytes)) / role.bytes_per_second,
        [this, id](base::Instant) { io_.resume(id); });
}

void Sandwich::take_answer(std::size_t client, base::Bytes bytes, base::Instant now) {
  PlayedClient& played = roles_[client].client;
  const PlayedClient::Outcome outcome = played.handle_bytes(bytes, scratch_);
  if (outcome != PlayedClient::Outcome::Underway) ++outcomes_;
  if (roles_[client].bytes_per_second != 0) rest_from_reading(roles_[client], bytes.size(), now);
  switch (outcome) {
    case PlayedClient::Outcome::Underway: {
      const base::ConnectionId id = roles_[client].id;
      return send(id, parties_.at(id), scratch_);
    }
    case PlayedClient::Outcome::Wrong: return fail(played.what());
    case PlayedClient::Outcome::Refused:
      io_.close(roles_[client].id);
      return lose(client, played.what(), now);
    case PlayedClient::Outcome::LoggedIn:
      return is_leaving_ ? leave(client, now) : scenario_->handle_logged_in(client, now);
    case PlayedClient::Outcome::Answered:
      return is_leaving_ ? leave(client, now) : scenario_->handle_answered(client, now);
  }
}

void Sandwich::lose(std::size_t client, std::string_view why, base::Instant now) {
  ++outcomes_;
  parties_.erase(roles_[client].id);
  count_out(roles_[client], now);
  scenario_->handle_lost(client, why, now);
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
                             base::Instant now) {
  if (is_over()) return;
  if (id == conductor_) {
    conductor_ = base::ConnectionId::None;
    return scenario_->handle_conductor_gone(now);
  }
  const auto at = parties_.find(id);
  if (at == parties_.end()) return;
  const std::optional<std::size_t> client = at->second.client;
  if (client) return lose(*client, "it was cut off; " + std::string(detail), now);
  parties_.erase(at);
}

void Sandwich::handle_wake(base::Instant now) {
  if (is_over()) return;
  agenda_.do_due(now);
  io_.wake_at(agenda_.next());
}

}  // namespace pgweir::bench
