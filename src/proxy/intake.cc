#include "proxy/intake.h"

#include <algorithm>

#include "proxy/handback.h"
#include "proxy/leases.h"
#include "proxy/requests.h"
#include "proxy/sending.h"
#include "wire/sqlstate.h"

namespace pgweir::proxy {
namespace {

// What a client may send ahead while it waits, or while its server is slow to read.
constexpr std::size_t kInboxBytesHigh = 64 * 1024;

// What it is answered, nobody reads: it is not to ask for more.
bool is_slow(const Client& client) { return client.outbox.size() >= kOutboxBytesHigh; }

}  // namespace

void Intake::handle_bytes(Client& client, base::Bytes bytes, base::Instant now) {
  if (!client.inbox.empty()) {
    client.inbox.push(bytes);
    resume(client, now);
    return;
  }
  const auto taken = take(client, bytes, now);
  if (!taken) return;
  client.inbox.push(bytes.subspan(*taken));
  throttle(client);
}

// Its end shows behind what it has sent, which is no more than a socket holds.
void Intake::handle_ending(Client& client) {
  client.is_ending = true;
  throttle(client);
}

void Intake::resume(Client& client, base::Instant now) {
  if (client.is_served) return;
  if (!client.inbox.empty() && client.inbox.size() >= client.inbox_wanted) {
    // Taken out of the client, so that what happens meanwhile may add to its inbox.
    base::ByteQueue parked = std::move(client.inbox);
    client.inbox = {};
    const auto taken = take(client, parked.bytes(), now);
    if (!taken) return;
    parked.pop(*taken);
    parked.push(client.inbox.bytes());
    client.inbox = std::move(parked);
  }
  throttle(client);
}

// Reads from the client only while what it sends can go somewhere.
void Intake::throttle(Client& client) {
  const bool is_blocked = client.server != nullptr && !client.server->outbox.empty();
  const bool wants_more = client.inbox.size() < client.inbox_wanted;
  const bool is_full = !wants_more && !client.is_ending && client.inbox.size() >= kInboxBytesHigh;
  const bool should_pause = is_blocked || is_full || is_slow(client);
  if (should_pause == client.is_paused) return;
  client.is_paused = should_pause;
  if (should_pause) {
    state_.world.io.pause(client.id);
  } else {
    state_.world.io.resume(client.id);
  }
}

std::optional<std::size_t> Intake::take(Client& client, base::Bytes input, base::Instant now) {
  using Outcome = Requests::Outcome;
  Batch batch(state_.to_server);
  client.is_served = true;
  client.inbox_wanted = 0;
  std::size_t at = 0;
  Outcome outcome = Outcome::Taken;
  while (at < input.size() && outcome == Outcome::Taken && !is_slow(client)) {
    const base::Bytes rest = input.subspan(at);
    if (client.skip_bytes != 0) {
      at += take_rest(client, rest, batch);
      continue;
    }
    if (rest.size() < wire::kHeaderBytes) break;
    outcome = state_.requests->take(client, rest, batch, now);
    at += state_.requests->passed_bytes();
  }
  client.is_served = false;
  // In any case, so that the server has been asked all that answers are expected for.
  if (client.server != nullptr) state_.requests->flush(*client.server, batch, now);
  if (outcome == Outcome::Left) {
    state_.leases->end_client(client, ClientEnd::Left, nullptr, now);
    return std::nullopt;
  }
  if (outcome == Outcome::Violated) {
    const wire::Report report{.severity = "FATAL",
                              .sqlstate = std::string(wire::sqlstate::kProtocolViolation),
                              .message = state_.requests->violation(),
                              .detail = {},
                              .hint = {}};
    state_.leases->end_client(client, ClientEnd::ProtocolViolation, &report, now);
    return std::nullopt;
  }
  release_unused(client, now);
  return at;
}

// What it sent has asked the server for nothing (a Close that only we answer, the tail of a COPY
// that has failed): nothing will come back that could release it.
void Intake::release_unused(Client& client, base::Instant now) {
  Server* server = client.server;
  const bool is_held_up = client.skip_bytes != 0 || client.awaits_quiet || client.is_settling;
  if (server != nullptr && !is_held_up && server->cycle.is_idle()) {
    state_.handback->reconsider(*server, now);
  }
}

// The rest of a message that began in an earlier piece.
std::size_t Intake::take_rest(Client& client, base::Bytes rest, Batch& batch) {
  const std::size_t part = std::min<std::size_t>(client.skip_bytes, rest.size());
  if (client.is_skip_forwarded) batch.forward(rest.first(part));
  client.skip_bytes -= static_cast<std::uint32_t>(part);
  if (client.session != nullptr && client.session->analyser != nullptr) {
    state_.requests->analyse_rest(client, rest.first(part));
  }
  return part;
}

}  // namespace pgweir::proxy
