#include "proxy/requests.h"

#include <algorithm>

#include "proxy/deallocation.h"
#include "proxy/effects.h"
#include "proxy/intake.h"
#include "proxy/leases.h"
#include "proxy/parameter_replay.h"
#include "proxy/replies.h"
#include "proxy/sending.h"
#include "session/large_objects.h"
#include "wire/query.h"
#include "wire/reply.h"
#include "wire/sqlstate.h"

namespace pgweir::proxy {

using session::Request;

namespace {

// A text longer than this is not held back until it is whole; it is looked at while it passes.
constexpr std::size_t kQueryBytesHeld = 64 * 1024;
// More than what our names for statements add to a message.
constexpr std::uint32_t kNameBytesMax = 64;
// A Parse is kept for other servers, so it must be seen whole; one longer than this is not kept.
constexpr std::size_t kParseBytesMax = 16 * 1024 * 1024;
constexpr std::string_view kNameTooLong = "a name of more than 64 KB";

// What a COPY takes belongs to the Query that began it, and that is what everything else waits for.
bool is_of_copy(char type) { return type == 'd' || type == 'c' || type == 'f'; }

// What the server ignores from an error up to the next Sync.
bool is_skipped(char type) {
  return std::string_view("QPBDECF").find(type) != std::string_view::npos;
}

}  // namespace

Requests::Outcome Requests::take(Client& client, base::Bytes input, Batch& batch,
                                 base::Instant now) {
  passed_bytes_ = 0;
  const auto header = wire::parse_header(input.data(), base::Side::Client);
  if (!header) return violate(header.error().context);
  return take_message(client, {.header = *header, .bytes = input}, batch, now);
}

void Requests::analyse_rest(Client& client, base::Bytes piece) {
  client.session->analyser->feed(base::as_text(piece));
  if (client.skip_bytes == 0) finish_analysis(client);
}

void Requests::flush(Server& server, Batch& batch, base::Instant now) {
  if (!batch.empty()) {
    server.last_activity = now;
    if (server.busy_since == base::kNever) server.busy_since = now;
    if (server.client != nullptr) server.client->last_request = now;
    send_to_server(state_, server, batch.head(), batch.tail());
    batch.clear();
  }
  state_.replies->send_synthetic(server, now);
}

Requests::Outcome Requests::take_message(Client& client, const Input& input, Batch& batch,
                                         base::Instant now) {
  if (input.header.type == 'X') return Outcome::Left;
  if (client.skips_to_sync) return drop_until_sync(client, input);
  if (client.is_settling || client.is_waiting()) return Outcome::Parked;
  if (client.awaits_quiet && !is_of_copy(input.header.type)) return Outcome::Parked;
  if (client.server == nullptr) {
    const auto settled = take_without_server(client, input);
    if (settled) return *settled;
    if (!state_.leases->acquire(client, now)) return Outcome::Parked;
  }
  Server& server = *client.server;
  // Backpressure: what its socket does not take now would only pile up here.
  if (!server.outbox.empty()) return Outcome::Parked;
  state_.effects->clean(client, server, batch);
  if (!state_.parameter_replay->align(client, server, batch)) {
    flush(server, batch, now);
    return Outcome::Parked;
  }
  if (server.cycle.is_skipping() && is_skipped(input.header.type)) return drop(client, input);
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
      hold_back_next(client);
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

// What needs no server, or not yet; nullopt if the message is to wait for one.
std::optional<Requests::Outcome> Requests::take_without_server(Client& client, const Input& input) {
  switch (input.header.type) {
    case 'S':
    case 'H':
      // Nothing is outstanding, so the answer is ours: there is no batch to end or to flush.
      if (!input.is_whole()) return Outcome::Parked;
      if (input.header.type == 'S') send_ready(client);
      passed_bytes_ = input.frame_bytes();
      return Outcome::Taken;
    case 'd':
    case 'c':
    case 'f':
      // The rest of a COPY that has failed already; PostgreSQL ignores it, too.
      return drop(client, input);
    case 'Q':
    case 'P':
    case 'B':
    case 'D':
    case 'E':
    case 'C':
    case 'F': break;
    default: return violate("an unknown message type");
  }
  // A server is not kept waiting for a client that has sent the half of what it wants.
  const bool is_parse = input.header.type == 'P';
  const bool is_held = input.frame_bytes() <= (is_parse ? kParseBytesMax : kQueryBytesHeld);
  if (!input.is_whole() && is_held) return wait_for_whole(client, input);
  if (is_parse && is_held && promise_statement(client, input)) return Outcome::Taken;
  return std::nullopt;
}

Requests::Outcome Requests::drop(Client& client, const Input& input) {
  client.skip_bytes = input.header.body_bytes;
  client.is_skip_forwarded = false;
  passed_bytes_ = wire::kHeaderBytes;
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
  if (input.header.type != 'S') return drop(client, input);
  if (!input.is_whole()) return Outcome::Parked;
  client.skips_to_sync = false;
  passed_bytes_ = input.frame_bytes();
  send_ready(client);
  return Outcome::Taken;
}

void Requests::send_ready(Client& client) {
  state_.message.clear();
  wire::encode_ready_for_query(state_.message, 'I');
  send_to_client(state_, client, state_.message);
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
  if (input.header.type != 'P' && input.frame_bytes() > kQueryBytesHeld) {
    return violate(kNameTooLong);
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
  note_end_of_batch(server);
  std::uint32_t tag = next_tag(client);
  // A simple query destroys the unnamed statement (exec_simple_query).
  server.statements.set_unnamed(session::StatementId::None);
  if (client.session != nullptr) client.session->statements.remove("", tag);
  if (input.is_whole()) {
    const auto text = wire::parse_query(input.body());
    if (!text) return violate(text.error().context);
    auto effects = session::analyse(*text, true);
    if (!effects.is_trivial()) {
      if (tag == 0) tag = ++session_of(state_, client).last_tag;
      const std::string translated =
          translate_deallocate(state_, client, effects, Request::Query, batch);
      expect_deallocates(state_, client, effects, batch);
      state_.effects->clean_for(client, effects, server, batch);
      state_.effects->note_sent(client, tag, std::move(effects));
      if (!translated.empty()) {
        wire::encode_query(batch.build(), translated);
        server.cycle.expect({.request = Request::Query, .tag = tag});
        passed_bytes_ = input.frame_bytes();
        hold_back_next(client);
        return Outcome::Taken;
      }
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
  hold_back_next(client);
  return Outcome::Taken;
}

// Of a request whose answer settles what was noted before it; 0 while there is nothing to settle.
std::uint32_t Requests::next_tag(Client& client) {
  if (client.session == nullptr) return 0;
  client.session->last_end = ++client.session->last_tag;
  return client.session->last_end;
}

// A Query or FunctionCall in a batch without a Sync in front of it. PostgreSQL 18.4 has the next
// statement of that connection fail ("unexpected state STARTED"), whoever sends it.
void Requests::note_end_of_batch(Server& server) {
  if (server.cycle.has_open_batch()) server.needs_reset = true;
}

// Which statements and settings the server has is known when it has answered; what comes next
// depends on that.
void Requests::hold_back_next(Client& client) {
  if (client.session == nullptr || !client.session->holds_back_next) return;
  client.session->holds_back_next = false;
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
  if (!session::is_large_object_function(body.u32())) {
    state_.effects->pin(client, session::PinReason::NotUnderstood);
  }
  note_end_of_batch(*client.server);
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
  hold_back_next(client);
}

Requests::Outcome Requests::take_extended(Client& client, const Input& input, Batch& batch) {
  if (input.header.type == 'B') return take_bind(client, input, batch);
  if (input.header.type == 'P' && input.frame_bytes() > kParseBytesMax) {
    return pass_long_parse(client, input, batch);
  }
  if (!input.is_whole()) return wait_for_whole(client, input);
  const base::Bytes raw = input.bytes.first(input.frame_bytes());
  if (input.header.type == 'P') {
    const auto message = wire::parse_parse(input.body());
    if (!message) return violate(message.error().context);
    if (statements_.awaits_name(client, message->name, true, batch)) return Outcome::Parked;
    passed_bytes_ = raw.size();
    const auto status = statements_.take_parse(client, *message, raw, batch);
    return status ? Outcome::Taken : violate(status.error().context);
  }
  if (input.header.type == 'E') {
    const auto message = wire::parse_execute(input.body());
    if (!message) return violate(message.error().context);
    passed_bytes_ = raw.size();
    statements_.take_execute(client, *message, raw, batch);
    return Outcome::Taken;
  }
  const auto target = wire::parse_target(input.body());
  if (!target) return violate(target.error().context);
  if (target->kind == 'S' && statements_.awaits_name(client, target->name, false, batch)) {
    return Outcome::Parked;
  }
  passed_bytes_ = raw.size();
  if (input.header.type == 'D') {
    statements_.take_describe(client, *target, raw, batch);
  } else {
    statements_.take_close(client, *target, raw, batch);
  }
  return Outcome::Taken;
}

// Only its name is seen before it passes.
Requests::Outcome Requests::pass_long_parse(Client& client, const Input& input, Batch& batch) {
  const std::string_view name_on = base::as_text(input.bytes.subspan(wire::kHeaderBytes));
  const std::size_t name_bytes = name_on.find('\0');
  if (name_bytes == std::string_view::npos) {
    if (input.bytes.size() >= kQueryBytesHeld) return violate(kNameTooLong);
    client.inbox_wanted = input.bytes.size() + 1;
    return Outcome::Parked;
  }
  const auto status = statements_.take_long_parse(client, name_on.substr(0, name_bytes));
  if (!status) return violate(status.error().context);
  pass(client, input, batch);
  return Outcome::Taken;
}

Requests::Outcome Requests::take_bind(Client& client, const Input& input, Batch& batch) {
  const std::size_t here =
      std::min<std::size_t>(input.bytes.size() - wire::kHeaderBytes, input.header.body_bytes);
  const auto head = wire::parse_bind_head(input.bytes.subspan(wire::kHeaderBytes, here));
  if (!head) return violate(head.error().context);
  // Our name for the statement may be longer than the client's.
  if (input.header.body_bytes > wire::kBodyBytesMax - kNameBytesMax) {
    return violate("a Bind of 1 GB");
  }
  if (!*head) {
    if (input.is_whole()) return violate("a malformed Bind");
    client.inbox_wanted = std::min(input.frame_bytes(), input.bytes.size() + 1);
    return Outcome::Parked;
  }
  if (statements_.awaits_name(client, (*head)->statement, false, batch)) return Outcome::Parked;
  const base::Bytes raw = input.bytes.first(wire::kHeaderBytes + here);
  statements_.take_bind(client, **head, raw, input.header.body_bytes, batch);
  passed_bytes_ = raw.size();
  client.skip_bytes = static_cast<std::uint32_t>(input.header.body_bytes - here);
  client.is_skip_forwarded = true;
  return Outcome::Taken;
}

bool Requests::settle(Client& client, base::Instant now) {
  Batch batch(state_.to_server);
  Server& server = *client.server;
  const bool is_settled = state_.parameter_replay->align(client, server, batch);
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
  state_.intake->resume(client, now);
}

Requests::Outcome Requests::violate(std::string_view what) {
  violation_ = what;
  return Outcome::Violated;
}

}  // namespace pgweir::proxy
