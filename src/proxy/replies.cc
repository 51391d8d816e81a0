#include "proxy/replies.h"

#include <algorithm>

#include "proxy/cancels.h"
#include "proxy/effects.h"
#include "proxy/events.h"
#include "proxy/handback.h"
#include "proxy/inquiry.h"
#include "proxy/intake.h"
#include "proxy/leases.h"
#include "proxy/parameter_replay.h"
#include "proxy/recovery.h"
#include "proxy/requests.h"
#include "proxy/sending.h"
#include "wire/reply.h"
#include "wire/report.h"
#include "wire/sqlstate.h"

namespace pgweir::proxy {

using session::Origin;
using session::QueryCycle;
using session::Request;

namespace {

// Messages that are looked into are short; one that is longer than this is not believed.
constexpr std::size_t kWholeBytesMax = 1024 * 1024;
// But an error may be of any length: of a long one the first fields are looked at, where severity
// and SQLSTATE are.
constexpr std::size_t kErrorBytesHeld = 8 * 1024;

// Those whose body matters to us; all others pass in pieces.
bool must_be_whole(char type) {
  return type == 'Z' || type == 'C' || type == 'S' || type == 'E' || type == 'K';
}

void encode_synthetic(const session::Expectation& due, base::ByteBuffer& out) {
  if (due.request == Request::Parse) {
    wire::encode_parse_complete(out);
  } else {
    wire::encode_close_complete(out);
  }
}

}  // namespace

void Replies::handle_bytes(Server& server, base::Bytes bytes, base::Instant now) {
  server.last_activity = now;
  if (server.phase == Server::Phase::Terminating) return;  // Whatever it still says.
  Batch batch(state_.to_client);
  std::optional<std::size_t> taken;
  if (server.partial.empty()) {
    taken = take(server, bytes, batch, now);
    if (taken) server.partial.push(bytes.subspan(*taken));
    if (taken) state_.handback->consider(server, batch, now);
  } else {
    server.partial.push(bytes);
    base::ByteQueue parked = std::move(server.partial);
    server.partial = {};
    taken = take(server, parked.bytes(), batch, now);
    if (taken) {
      server.partial.push(parked.bytes().subspan(*taken));
      state_.handback->consider(server, batch, now);
    }
  }
  if (!taken) confuse(server, failure_, now);
  state_.cancels->settle_owed(server);
}

std::optional<std::size_t> Replies::take(Server& server, base::Bytes input, Batch& batch,
                                         base::Instant) {
  std::size_t at = 0;
  while (at < input.size()) {
    const base::Bytes rest = input.subspan(at);
    if (server.skip_bytes != 0) {
      const std::size_t part = std::min<std::size_t>(server.skip_bytes, rest.size());
      if (server.is_skip_forwarded) batch.forward(rest.first(part));
      if (server.client == nullptr) server.discarded_bytes += part;
      server.skip_bytes -= static_cast<std::uint32_t>(part);
      at += part;
      append_synthetic(server, batch);
      continue;
    }
    if (rest.size() < wire::kHeaderBytes) break;
    const auto header = wire::parse_header(rest.data(), base::Side::Server);
    if (!header) {
      failure_ = header.error().context;
      return std::nullopt;
    }
    const std::size_t frame_bytes = wire::kHeaderBytes + header->body_bytes;
    const std::size_t here = std::min(rest.size(), frame_bytes);
    if (must_be_whole(header->type)) {
      if (header->type != 'E' && frame_bytes > kWholeBytesMax) {
        failure_ = "a message of its is longer than it can be";
        return std::nullopt;
      }
      if (here < (header->type == 'E' ? std::min(frame_bytes, kErrorBytesHeld) : frame_bytes))
        break;
      const wire::Frame frame{.type = header->type,
                              .body = rest.first(here).subspan(wire::kHeaderBytes)};
      if (!take_message(server, frame, rest.first(here), batch)) return std::nullopt;
      server.skip_bytes = static_cast<std::uint32_t>(frame_bytes - here);
    } else if (!take_streamed(server, *header, rest.first(here), batch)) {
      return std::nullopt;
    }
    append_synthetic(server, batch);
    at += here;
  }
  return at;
}

bool Replies::take_streamed(Server& server, wire::Header header, base::Bytes here, Batch& batch) {
  server.skip_bytes =
      static_cast<std::uint32_t>(wire::kHeaderBytes + header.body_bytes - here.size());
  if (header.type == 'N' || header.type == 'A') {
    pass_unasked(server, header.type, here, batch);
    return true;
  }
  const auto step = server.cycle.handle_reply(header.type);
  if (!step) {
    failure_ = step.error().context;
    return false;
  }
  server.is_skip_forwarded = step->fate == QueryCycle::Fate::Forward && server.client != nullptr;
  if (server.is_skip_forwarded) batch.forward(here);
  if (server.client == nullptr) server.discarded_bytes += here.size();
  if (step->is_answered) state_.requests->settle(server, step->answered);
  if (step->is_answered && step->answered.request == Request::Execute && server.client != nullptr) {
    // EmptyQueryResponse or PortalSuspended: complete without a tag.
    state_.effects->handle_complete(*server.client, server, step->answered.tag, {});
  }
  return true;
}

// Asked for by nobody in particular; it belongs to whoever has the server. What is noticed while
// the server does something for us is about that; a notification is for who listens, whenever it
// comes.
void Replies::pass_unasked(Server& server, char type, base::Bytes here, Batch& batch) {
  const bool is_about_ours =
      server.cycle.size() != 0 && server.cycle.next().origin == Origin::Ours && type == 'N';
  server.is_skip_forwarded = server.client != nullptr && !is_about_ours;
  if (server.is_skip_forwarded) batch.forward(here);
}

bool Replies::take_message(Server& server, const wire::Frame& frame, base::Bytes raw,
                           Batch& batch) {
  switch (frame.type) {
    case 'S': state_.parameter_replay->take_status(server, frame.body, raw, batch); return true;
    case 'K': return true;
    default: return take_answer(server, frame, raw, batch);
  }
}

bool Replies::take_answer(Server& server, const wire::Frame& frame, base::Bytes raw, Batch& batch) {
  if (frame.type == 'E' && server.cycle.size() == 0) {
    // Unasked: the server is about to go (57P01, an idle timeout). Its client is to know why,
    // unless it has nothing there to lose.
    server.has_said_goodbye = true;
    server.is_skip_forwarded = server.client != nullptr && !Handback::may_release(server);
    if (server.is_skip_forwarded) batch.forward(raw);
    return true;
  }
  char status = 'I';
  if (frame.type == 'Z') {
    const auto parsed = wire::parse_ready_for_query(frame.body);
    if (!parsed) {
      failure_ = parsed.error().context;
      return false;
    }
    status = *parsed;
  }
  const auto step = server.cycle.handle_reply(frame.type, status);
  if (!step) {
    failure_ = step.error().context;
    return false;
  }
  // Why the server goes is for the client to know, also while the server is asked about it.
  const bool is_farewell = frame.type == 'E' && server.is_inquired &&
                           wire::parse_report_head(frame.body).ends_the_session();
  const bool is_for_client = step->fate == QueryCycle::Fate::Forward || is_farewell;
  const bool is_forwarded = is_for_client && server.client != nullptr;
  server.is_skip_forwarded = is_forwarded;
  // Settings are reported in front of ReadyForQuery.
  if (frame.type == 'Z') take_ready(server, *step, status, batch);
  if (is_forwarded && frame.type == 'E') {
    forward_error(server, *step, raw, batch);
  } else if (is_forwarded) {
    batch.forward(raw);
  }
  if (step->is_failed) take_failure(server, *step, frame.body);
  if (frame.type == 'C' && server.client != nullptr && (is_forwarded || server.is_inquired)) {
    const auto tag = wire::parse_command_complete(frame.body);
    if (tag && is_forwarded) {
      state_.effects->handle_complete(*server.client, server, step->answered.tag, *tag);
    } else if (tag) {
      Inquiry::take_answer(*server.client, *tag);
    }
  }
  return true;
}

// An error names a statement as the server knows it; the client is to read its own name.
void Replies::forward_error(const Server& server, const QueryCycle::Step& step, base::Bytes raw,
                            Batch& batch) {
  const Client& client = *server.client;
  const session::StatementId id{step.answered.statement};
  const bool is_known = state_.statements.find(id) != nullptr;
  const std::string_view name = is_known ? server.statements.name_of(id) : std::string_view();
  const std::size_t at = is_known ? base::as_text(raw).find(name) : std::string_view::npos;
  const auto header = wire::parse_header(raw.data(), base::Side::Server);
  const bool is_whole = header && raw.size() == wire::kHeaderBytes + header->body_bytes;
  if (at == std::string_view::npos || client.session == nullptr || !is_whole) {
    batch.forward(raw);
    return;
  }
  const std::string_view own = client.session->statements.name_of(id);
  wire::FrameWriter frame(batch.build(), 'E');
  frame.bytes(raw.first(at).subspan(wire::kHeaderBytes));
  frame.bytes(base::as_bytes(own));
  frame.bytes(raw.subspan(at + name.size()));
}

void Replies::take_failure(Server& server, const QueryCycle::Step& step, base::Bytes body) {
  Client* client = server.client;
  const wire::Report report = wire::parse_report_head(body);
  const bool is_of_client = client != nullptr && !server.is_inquired;
  if (is_of_client && client->session != nullptr) client->session->is_rolled_back = true;
  if (step.fate == QueryCycle::Fate::Forward && client != nullptr) {
    state_.world.log.event(kServerError, {obs::kv("sqlstate", report.sqlstate),
                                          obs::kv("database", server.route->database),
                                          obs::kv("user", server.route->user)});
  }
  if (report.ends_the_session()) server.has_said_goodbye = true;
  if (server.cycle.is_doubtful()) server.needs_close = true;
  // A plan that no longer fits its table: whoever prepares the text from now on gets a new one.
  if (report.sqlstate == wire::sqlstate::kFeatureNotSupported && step.answered.statement != 0) {
    state_.statements.retire(session::StatementId{step.answered.statement});
  }
  // Somebody has dropped it behind our back: whoever needs it next has it prepared again.
  if (report.sqlstate == wire::sqlstate::kInvalidSqlStatementName && step.answered.statement != 0) {
    server.statements.remove(session::StatementId{step.answered.statement});
  }
  const session::StatementId named{step.answered.statement};
  const bool is_duplicate = report.sqlstate == wire::sqlstate::kDuplicatePreparedStatement &&
                            step.answered.request == Request::Parse && !step.answered.is_unnamed &&
                            state_.statements.find(named) != nullptr;
  const std::string name(is_duplicate ? server.statements.name_of(named) : std::string_view());
  const auto& skipped = server.cycle.skipped();
  for (auto at = skipped.rbegin(); at != skipped.rend(); ++at) {
    state_.requests->undo(client, server, *at);
  }
  state_.requests->undo(client, server, step.answered);
  // Parse and Query destroy the unnamed statement before they fail (exec_parse_message).
  const bool has_unnamed_gone = step.answered.is_unnamed || step.answered.request == Request::Query;
  if (client != nullptr && client->session != nullptr && has_unnamed_gone &&
      step.answered.origin == Origin::Client) {
    client->session->statements.forget_unnamed(step.answered.tag);
  }
  server.cycle.clear_skipped();
  // It is there, whatever we believed.
  if (is_duplicate && !server.statements.contains(named)) server.statements.adopt(named, name);
  if (step.fate == QueryCycle::Fate::Swallow) server.own_failure = report;
}

void Replies::take_ready(Server& server, const QueryCycle::Step& step, char status, Batch& batch) {
  if (server.cycle.is_quiet()) server.statements.release_pins();
  if (step.answered.origin != Origin::Client) {
    if (server.is_inquired) state_.inquiry->conclude(server);
    return;
  }
  if (server.client == nullptr) return;
  Client& client = *server.client;
  if (client.session == nullptr) return;
  std::vector<std::string> told;
  for (const auto& [name, value] : client.session->reported) told.push_back(name);
  session::ParameterSetId before{};
  assign(state_.parameters, before, client.parameters);
  state_.effects->handle_ready(client, server, step.answered.tag, status);
  if (client.parameters != before) {
    state_.parameter_replay->tell_restored(client, before, told, batch);
  }
  state_.parameters.release(before);
}

void Replies::append_synthetic(Server& server, Batch& batch) {
  if (server.is_passing_message()) return;
  session::Expectation due;
  while (server.cycle.take_synthetic(due)) {
    if (server.client == nullptr) continue;
    encode_synthetic(due, batch.build());
  }
}

void Replies::send_synthetic(Server& server, base::Instant) {
  if (server.client == nullptr || server.is_passing_message()) return;
  state_.message.clear();
  session::Expectation due;
  while (server.cycle.take_synthetic(due)) encode_synthetic(due, state_.message);
  send_to_client(state_, *server.client, state_.message);
}

void Replies::confuse(Server& server, std::string_view what, base::Instant now) {
  state_.world.log.event(kServerDied,
                         {obs::kv("cause", "protocol_violation"), obs::kv("problem", what),
                          obs::kv("database", server.route->database)});
  if (server.client != nullptr) {
    const wire::Report report{
        .severity = "FATAL",
        .sqlstate = std::string(wire::sqlstate::kProtocolViolation),
        .message = "the server broke the protocol; whether the statement took effect is not known",
        .detail = std::string(what),
        .hint = "Look into the server's log; reconnect and check before you repeat the statement."};
    server.needs_close = true;
    state_.leases->end_client(*server.client, ClientEnd::ServerDied, &report, now);
  }
  state_.leases->close_server(server, now);
}

}  // namespace pgweir::proxy
