#include "proxy/requests.h"

#include <algorithm>
#include <array>

#include "proxy/effects.h"
#include "proxy/leases.h"
#include "proxy/replies.h"
#include "proxy/sending.h"
#include "wire/query.h"
#include "wire/reply.h"
#include "wire/sqlstate.h"

namespace pgweir::proxy {

using session::Origin;
using session::Request;

namespace {

// A text longer than this is not held back until it is whole; it is looked at while it passes.
constexpr std::size_t kQueryBytesHeld = 64 * 1024;
// A Parse is kept for other servers, so it must be seen whole.
constexpr std::size_t kParseBytesMax = 16 * 1024 * 1024;
// What a client may send ahead while it waits, or while its server is slow to read.
constexpr std::size_t kInboxBytesHigh = 64 * 1024;

// OIDs of the functions that clients call for large objects (pg_proc.dat): lo_create, lo_open,
// lo_close, loread, lowrite, lo_lseek, lo_creat, lo_tell, lo_unlink, lo_truncate, and the last
// three of 64 bits. libpq looks them up; they are the same in every PostgreSQL.
constexpr std::array<std::uint32_t, 13> kLargeObjectFunctions = {
    715, 952, 953, 954, 955, 956, 957, 958, 964, 1004, 3170, 3171, 3172};

bool is_large_object_function(std::uint32_t oid) {
  return std::find(kLargeObjectFunctions.begin(), kLargeObjectFunctions.end(), oid) !=
         kLargeObjectFunctions.end();
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

void Requests::handle_bytes(Client& client, base::Bytes bytes, base::Instant now) {
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

void Requests::resume(Client& client, base::Instant now) {
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
void Requests::throttle(Client& client) {
  const bool is_blocked = client.server != nullptr && !client.server->outbox.empty();
  const bool wants_more = client.inbox.size() < client.inbox_wanted;
  const bool is_full = !wants_more && client.inbox.size() >= kInboxBytesHigh;
  const bool should_pause = is_blocked || is_full;
  if (should_pause == client.is_paused) return;
  client.is_paused = should_pause;
  if (should_pause) {
    state_.world.io.pause(client.id);
  } else {
    state_.world.io.resume(client.id);
  }
}

std::optional<std::size_t> Requests::take(Client& client, base::Bytes input, base::Instant now) {
  Batch batch(state_.to_server);
  client.is_served = true;
  client.inbox_wanted = 0;
  std::size_t at = 0;
  Outcome outcome = Outcome::Taken;
  while (at < input.size() && outcome == Outcome::Taken) {
    const base::Bytes rest = input.subspan(at);
    if (client.skip_bytes != 0) {
      at += take_rest(client, rest, batch);
      continue;
    }
    if (rest.size() < wire::kHeaderBytes) break;
    const auto header = wire::parse_header(rest.data(), base::Side::Client);
    passed_bytes_ = 0;
    outcome = header ? take_message(client, {.header = *header, .bytes = rest}, batch, now)
                     : violate(header.error().context);
    at += passed_bytes_;
  }
  client.is_served = false;
  // In any case, so that the server has been asked all that answers are expected for.
  if (client.server != nullptr) flush(*client.server, batch, now);
  if (outcome == Outcome::Left) {
    state_.leases->end_client(client, ClientEnd::Left, nullptr, now);
    return std::nullopt;
  }
  if (outcome == Outcome::Violated) {
    const wire::Report report{.severity = "FATAL",
                              .sqlstate = std::string(wire::sqlstate::kProtocolViolation),
                              .message = violation_,
                              .detail = {},
                              .hint = {}};
    state_.leases->end_client(client, ClientEnd::ProtocolViolation, &report, now);
    return std::nullopt;
  }
  return at;
}

// The rest of a message that began in an earlier piece.
std::size_t Requests::take_rest(Client& client, base::Bytes rest, Batch& batch) {
  const std::size_t part = std::min<std::size_t>(client.skip_bytes, rest.size());
  if (client.is_skip_forwarded) batch.forward(rest.first(part));
  client.skip_bytes -= static_cast<std::uint32_t>(part);
  if (client.session != nullptr && client.session->analyser != nullptr) {
    client.session->analyser->feed(base::as_text(rest.first(part)));
    if (client.skip_bytes == 0) finish_analysis(client);
  }
  return part;
}

void Requests::flush(Server& server, Batch& batch, base::Instant now) {
  if (!batch.empty()) {
    server.last_activity = now;
    if (server.busy_since == base::kNever) server.busy_since = now;
    if (server.client != nullptr) server.client->last_request = now;
    server.idle_in_transaction_since = base::kNever;
    send_to_server(state_, server, batch.head(), batch.tail());
    batch.clear();
  }
  state_.replies->send_synthetic(server, now);
}

Requests::Outcome Requests::take_message(Client& client, const Input& input, Batch& batch,
                                         base::Instant now) {
  if (input.header.type == 'X') return Outcome::Left;
  if (client.skips_to_sync) return drop_until_sync(client, input);
  if (client.is_settling || client.awaits_quiet || client.is_waiting()) return Outcome::Parked;
  if (client.server == nullptr) {
    if (input.header.type == 'S' || input.header.type == 'H') {
      return take_without_server(client, input);
    }
    if (std::string_view("QPBDECFdcf").find(input.header.type) == std::string_view::npos) {
      return violate("an unknown message type");
    }
    if (input.header.type == 'P' && promise_statement(client, input)) return Outcome::Taken;
    if (!state_.leases->acquire(client, now)) return Outcome::Parked;
  }
  Server& server = *client.server;
  // Backpressure: what its socket does not take now would only pile up here.
  if (!server.outbox.empty()) return Outcome::Parked;
  if (!prepare_server(client, server, batch)) {
    flush(server, batch, now);
    return Outcome::Parked;
  }
  switch (input.header.type) {
    case 'Q': return take_query(client, input, batch);
    case 'P':
    case 'B':
    case 'D':
    case 'E':
    case 'C': return take_extended(client, input, batch);
    case 'F': return take_function_call(client, input, batch);
    case 'S':
      server.cycle.expect({.request = Request::Sync, .tag = next_tag(client)});
      pass(client, input, batch);
      wait_if_statements_go(client);
      return Outcome::Taken;
    case 'c':
    case 'f':
      server.cycle.expect({.request = Request::CopyEnd});
      pass(client, input, batch);
      return Outcome::Taken;
    case 'd':
    case 'H': pass(client, input, batch); return Outcome::Taken;
    default: return violate("an unknown message type");
  }
}

// Nothing is outstanding, so the answer is ours: there is no batch to end or to flush.
Requests::Outcome Requests::take_without_server(Client& client, const Input& input) {
  if (!input.is_whole()) return Outcome::Parked;
  if (input.header.type == 'S') {
    state_.message.clear();
    wire::encode_ready_for_query(state_.message, 'I');
    send_to_client(state_, client, state_.message);
  }
  passed_bytes_ = input.frame_bytes();
  return Outcome::Taken;
}

// Parse and Sync alone: a program that prepares its statements one by one, and waits for each
// answer, may be the one that holds all servers (pgbench -M prepared). What is known needs none.
bool Requests::promise_statement(Client& client, const Input& input) {
  const std::size_t bytes = input.frame_bytes();
  const bool is_alone = input.bytes.size() > bytes && input.bytes[bytes] == std::byte{'S'};
  if (!is_alone) return false;
  const auto message = wire::parse_parse(input.body());
  if (!message || !statements_.take_known_parse(client, *message)) return false;
  passed_bytes_ = bytes;
  state_.message.clear();
  wire::encode_parse_complete(state_.message);
  send_to_client(state_, client, state_.message);
  return true;
}

Requests::Outcome Requests::drop_until_sync(Client& client, const Input& input) {
  if (input.header.type != 'S') {
    client.skip_bytes = input.header.body_bytes;
    client.is_skip_forwarded = false;
    passed_bytes_ = wire::kHeaderBytes;
    return Outcome::Taken;
  }
  if (!input.is_whole()) return Outcome::Parked;
  client.skips_to_sync = false;
  passed_bytes_ = input.frame_bytes();
  state_.message.clear();
  wire::encode_ready_for_query(state_.message, 'I');
  send_to_client(state_, client, state_.message);
  return Outcome::Taken;
}

// Forwards a message as it is, the part that is not there yet included.
void Requests::pass(Client& client, const Input& input, Batch& batch) {
  const std::size_t here = std::min(input.bytes.size(), input.frame_bytes());
  batch.forward(input.bytes.first(here));
  passed_bytes_ = here;
  client.skip_bytes = static_cast<std::uint32_t>(input.frame_bytes() - here);
  client.is_skip_forwarded = true;
}

Requests::Outcome Requests::wait_for_whole(Client& client, const Input& input) {
  if (input.frame_bytes() > kParseBytesMax) {
    return violate("a Parse above 16 MB, which pgweir does not hold");
  }
  client.inbox_wanted = input.frame_bytes();
  return Outcome::Parked;
}

Requests::Outcome Requests::take_query(Client& client, const Input& input, Batch& batch) {
  Server& server = *client.server;
  if (!input.is_whole() && input.frame_bytes() <= kQueryBytesHeld) {
    return wait_for_whole(client, input);
  }
  note_statement(server, base::as_text(input.bytes.subspan(wire::kHeaderBytes)));
  // A simple query destroys the unnamed statement (exec_simple_query).
  server.statements.set_unnamed(session::StatementId::None);
  std::uint32_t tag = next_tag(client);
  if (input.is_whole()) {
    const auto text = wire::parse_query(input.body());
    if (!text) return violate(text.error().context);
    const std::string translated =
        statements_.translate_deallocate(client, *text, Request::Query, batch);
    if (!translated.empty()) {
      wire::encode_query(batch.build(), translated);
      server.cycle.expect({.request = Request::Query, .tag = next_tag(client)});
      passed_bytes_ = input.frame_bytes();
      return Outcome::Taken;
    }
    auto effects = session::analyse(*text, true);
    if (!effects.is_trivial()) {
      if (tag == 0) tag = ++session_of(state_, client).last_tag;
      state_.effects->note_sent(client, tag, std::move(effects));
    }
  } else {
    ClientSession& session = session_of(state_, client);
    if (tag == 0) tag = ++session.last_tag;
    session.analyser = std::make_unique<session::EffectAnalyser>();
    session.analyser->reset(true);
    session.analyser->feed(base::as_text(input.bytes.subspan(wire::kHeaderBytes)));
    session.analysed_tag = tag;
  }
  server.cycle.expect({.request = Request::Query, .tag = tag});
  pass(client, input, batch);
  wait_if_statements_go(client);
  return Outcome::Taken;
}

// Of a request whose answer settles what was noted before it; 0 while there is nothing to settle.
std::uint32_t Requests::next_tag(Client& client) {
  return client.session == nullptr ? 0 : ++client.session->last_tag;
}

// Which statements the server still has is known when it has answered; what comes next depends on
// that.
void Requests::wait_if_statements_go(Client& client) {
  if (client.session == nullptr || !client.session->forgets_statements) return;
  client.session->forgets_statements = false;
  client.awaits_quiet = true;
}

// What a function does to its session cannot be seen; only those for large objects are known.
Requests::Outcome Requests::take_function_call(Client& client, const Input& input, Batch& batch) {
  constexpr std::size_t kBytesUpToFunction = wire::kHeaderBytes + 4;
  if (input.bytes.size() < kBytesUpToFunction && !input.is_whole()) {
    client.inbox_wanted = kBytesUpToFunction;
    return Outcome::Parked;
  }
  base::ByteReader body(input.bytes.subspan(wire::kHeaderBytes));
  if (!is_large_object_function(body.u32())) {
    state_.effects->pin(client, session::PinReason::NotUnderstood);
  }
  client.server->cycle.expect({.request = Request::FunctionCall, .tag = next_tag(client)});
  pass(client, input, batch);
  return Outcome::Taken;
}

// A long Query has passed whole: its effects are known in time, since its answer is not complete.
void Requests::finish_analysis(Client& client) {
  ClientSession& session = *client.session;
  session::StatementEffects effects = session.analyser->finish();
  session.analyser.reset();
  if (!effects.is_trivial()) {
    state_.effects->note_sent(client, session.analysed_tag, std::move(effects));
  }
  wait_if_statements_go(client);
}

Requests::Outcome Requests::take_extended(Client& client, const Input& input, Batch& batch) {
  Server& server = *client.server;
  if (server.cycle.is_skipping()) {
    // The server would ignore it; it need not see it.
    client.skip_bytes = input.header.body_bytes;
    client.is_skip_forwarded = false;
    passed_bytes_ = wire::kHeaderBytes;
    return Outcome::Taken;
  }
  if (input.header.type == 'B') return take_bind(client, input, batch);
  if (!input.is_whole()) return wait_for_whole(client, input);
  const base::Bytes raw = input.bytes.first(input.frame_bytes());
  passed_bytes_ = raw.size();
  if (input.header.type == 'P') {
    const auto message = wire::parse_parse(input.body());
    if (!message) return violate(message.error().context);
    const auto status = statements_.take_parse(client, *message, raw, batch);
    return status ? Outcome::Taken : violate(status.error().context);
  }
  if (input.header.type == 'E') {
    const auto message = wire::parse_execute(input.body());
    if (!message) return violate(message.error().context);
    statements_.take_execute(client, *message, raw, batch);
    return Outcome::Taken;
  }
  const auto target = wire::parse_target(input.body());
  if (!target) return violate(target.error().context);
  if (input.header.type == 'D') {
    statements_.take_describe(client, *target, raw, batch);
  } else {
    statements_.take_close(client, *target, raw, batch);
  }
  return Outcome::Taken;
}

Requests::Outcome Requests::take_bind(Client& client, const Input& input, Batch& batch) {
  const std::size_t here =
      std::min<std::size_t>(input.bytes.size() - wire::kHeaderBytes, input.header.body_bytes);
  const auto head = wire::parse_bind_head(input.bytes.subspan(wire::kHeaderBytes, here));
  if (!head) return violate(head.error().context);
  if (!*head) {
    if (input.is_whole()) return violate("a malformed Bind");
    client.inbox_wanted = std::min(input.frame_bytes(), input.bytes.size() + 1);
    return Outcome::Parked;
  }
  const base::Bytes raw = input.bytes.first(wire::kHeaderBytes + here);
  statements_.take_bind(client, **head, raw, input.header.body_bytes, batch);
  passed_bytes_ = raw.size();
  client.skip_bytes = static_cast<std::uint32_t>(input.header.body_bytes - here);
  client.is_skip_forwarded = true;
  return Outcome::Taken;
}

bool Requests::prepare_server(Client& client, Server& server, Batch& batch) {
  if (server.parameters == client.parameters) return true;
  // Inside a transaction the server has what the transaction made of it.
  if (!server.cycle.is_idle()) return true;
  std::string sql;
  state_.parameters.append_difference(server.parameters, client.parameters, sql);
  if (is_ascii(sql)) {
    ask(server, sql, batch);
  } else {
    change_encoding_first(client, server, batch);
  }
  const bool is_proven =
      sql.empty() || client.route->proven.contains(state_.parameters.at(client.parameters));
  if (!is_proven) expect_unchanged(client, server);
  assign(state_.parameters, server.parameters, client.parameters);
  if (is_proven) return true;
  // Values that no server has accepted yet may be wrong, and then the query must not run.
  client.is_settling = true;
  return false;
}

// A value that comes to the same as the one before ("utc", "UTC") is not reported; any other will
// be.
void Requests::expect_unchanged(const Client& client, const Server& server) {
  Route& route = *client.route;
  for (const auto& [name, value] : state_.parameters.at(client.parameters)) {
    if (value.is_source || !route.canonical.is_reported(name)) continue;
    if (route.proven.contains(name, value.text)) continue;
    const session::ParameterValue* before = state_.parameters.find(server.parameters, name);
    const std::string_view reported =
        before == nullptr ? reported_value(route, name) : route.canonical.spell(name, before->text);
    route.canonical.learn(name, value.text, std::string(reported));
  }
}

// A text is read in the client_encoding that holds when it arrives.
void Requests::change_encoding_first(Client& client, Server& server, Batch& batch) {
  session::ParameterTable& table = state_.parameters;
  constexpr std::string_view kEncoding = "client_encoding";
  const session::ParameterValue* encoding = table.find(client.parameters, kEncoding);
  const session::ParameterSetId between = encoding == nullptr
                                              ? table.without(server.parameters, kEncoding)
                                              : table.with(server.parameters, kEncoding, *encoding);
  std::string sql;
  table.append_difference(server.parameters, between, sql);
  ask(server, sql, batch);
  sql.clear();
  table.append_difference(between, client.parameters, sql);
  ask(server, sql, batch);
  table.release(between);
}

void Requests::ask(Server& server, std::string_view sql, Batch& batch) {
  if (sql.empty()) return;
  wire::encode_query(batch.build(), sql);
  server.cycle.expect({.request = Request::Query, .origin = Origin::Ours});
  server.statements.set_unnamed(session::StatementId::None);
}

bool Requests::settle(Client& client, base::Instant now) {
  Batch batch(state_.to_server);
  Server& server = *client.server;
  const bool is_settled = prepare_server(client, server, batch);
  flush(server, batch, now);
  return is_settled;
}

void Requests::refuse(Client& client, const wire::Report& report, base::Instant now) {
  ASSERT(client.server == nullptr);
  const base::Bytes parked = client.inbox.bytes();
  if (parked.size() < wire::kHeaderBytes) return;
  const auto header = wire::parse_header(parked.data(), base::Side::Client);
  if (!header) return;  // It will be found out, and ended, when it is read.
  state_.message.clear();
  wire::encode_error(state_.message, report);
  if (header->type == 'Q' || header->type == 'F') {
    wire::encode_ready_for_query(state_.message, 'I');
    client.skip_bytes = static_cast<std::uint32_t>(wire::kHeaderBytes + header->body_bytes);
    client.is_skip_forwarded = false;
  } else {
    client.skips_to_sync = true;
  }
  send_to_client(state_, client, state_.message);
  client.inbox_wanted = 0;
  resume(client, now);
}

Requests::Outcome Requests::violate(std::string_view what) {
  violation_ = what;
  return Outcome::Violated;
}

}  // namespace pgweir::proxy
