#include "canned_server.h"

#include <array>
#include <optional>
#include <utility>
#include <variant>

#include "wire/authentication.h"
#include "wire/query.h"
#include "wire/reply.h"
#include "wire/report.h"
#include "wire/rows.h"
#include "wire/sqlstate.h"
#include "wire/startup.h"
#include "workload.h"

namespace pgweir::bench {

namespace {

constexpr std::array kReported{std::pair{"server_version", "15.0 (canned)"},
                               std::pair{"server_encoding", "UTF8"},
                               std::pair{"client_encoding", "UTF8"},
                               std::pair{"DateStyle", "ISO, MDY"},
                               std::pair{"TimeZone", "UTC"},
                               std::pair{"IntervalStyle", "postgres"},
                               std::pair{"standard_conforming_strings", "on"},
                               std::pair{"integer_datetimes", "on"},
                               std::pair{"is_superuser", "off"},
                               std::pair{"session_authorization", "bench"},
                               std::pair{"application_name", ""},
                               std::pair{"in_hot_standby", "off"},
                               std::pair{"default_transaction_read_only", "off"}};

void encode_welcome(std::uint32_t pid, base::ByteBuffer& out) {
  wire::encode_authentication_ok(out);
  for (const auto& [name, value] : kReported) wire::encode_parameter_status(out, name, value);
  wire::encode_backend_key_data(out, {.pid = pid, .secret = base::ByteBuffer(4)});
  wire::encode_ready_for_query(out, 'I');
}

// What pgweir asks before it has more than one server: budget/discovery.h.
constexpr std::size_t kFactCount = 10;

bool asks_for_facts(std::string_view query) {
  return query.find("current_setting('max_connections')") != std::string_view::npos;
}

void encode_facts(std::uint32_t pid, base::ByteBuffer& out) {
  const std::string pid_text = std::to_string(pid);
  const std::array<std::optional<std::string_view>, kFactCount> row{
      "150000", "5000", "3", "0", "f", pid_text, "0", "1", std::nullopt, std::nullopt};
  wire::encode_data_row(out, row);
  wire::encode_command_complete(out, "SELECT 1");
}

// "begin" → "BEGIN".
std::string tag_of(std::string_view text) {
  std::string tag;
  for (const char c : text) {
    if (c >= 'a' && c <= 'z') {
      tag += static_cast<char>(c - 'a' + 'A');
    } else if (c >= 'A' && c <= 'Z') {
      tag += c;
    } else {
      break;
    }
  }
  return tag;
}

}  // namespace

bool CannedServer::handle_bytes(base::Bytes bytes, base::ByteBuffer& out) {
  begins_tls_ = false;
  base::ByteQueue parked;
  if (!rest_.empty()) {
    rest_.push(bytes);
    parked = std::exchange(rest_, {});
    bytes = parked.bytes();
  }
  if (!is_logged_in_ && !take_first_packets(bytes, out)) return false;
  while (is_logged_in_) {
    const auto frame = wire::take_frame(bytes, wire::kBodyBytesMax, base::Side::Client);
    if (!frame) return false;
    if (!*frame) break;
    if (!take(**frame, out)) return false;
  }
  rest_.push(bytes);
  return true;
}

bool CannedServer::take_first_packets(base::Bytes& input, base::ByteBuffer& out) {
  while (!is_logged_in_) {
    const auto packet = wire::take_first_packet(input);
    if (!packet) return false;
    if (!*packet) return true;
    if (std::holds_alternative<wire::CancelKey>(**packet)) return false;
    if (std::holds_alternative<wire::StartupMessage>(**packet)) {
      encode_welcome(pid_, out);
      is_logged_in_ = true;
    } else if (has_tls_ && std::holds_alternative<wire::SslRequest>(**packet)) {
      out.push_back(std::byte{'S'});
      begins_tls_ = true;
    } else {
      out.push_back(std::byte{'N'});
    }
  }
  return true;
}

bool CannedServer::take(const wire::Frame& frame, base::ByteBuffer& out) {
  if (frame.type == 'X') return false;
  if (frame.type == 'S') {
    skips_to_sync_ = false;
    say_ready(out);
    return true;
  }
  if (skips_to_sync_) return true;
  switch (frame.type) {
    case 'd':
      if (copy_) copy_->take_row(frame.body);
      return true;
    case 'c':
      if (copy_) end_copy(out);
      return true;
    case 'Q':
      if (const auto text = wire::parse_query(frame.body)) take_query(*text, out);
      return true;
    case 'P': take_parse(frame.body, out); return true;
    case 'B': take_bind(frame.body, out); return true;
    case 'D': take_describe(frame.body, out); return true;
    case 'E': take_execute(out); return true;
    case 'C':
      if (const auto target = wire::parse_target(frame.body)) {
        if (target->kind == 'S') statements_.erase(std::string(target->name));
        wire::encode_close_complete(out);
      }
      return true;
    default: return true;
  }
}

// What poolers say on their own (SET, RESET, DISCARD, BEGIN …) succeeds and does nothing.
void CannedServer::take_query(std::string_view text, base::ByteBuffer& out) {
  statements_.erase("");
  if (auto data = copied_in(text)) {
    copy_.emplace(std::move(*data));
    return encode_copy_response('G', out);
  }
  if (encode_answer(text, out)) {
    ++request_count_;
    ++sync_count_;
    return;
  }
  const std::string tag = tag_of(text);
  if (tag == "SELECT" || tag.empty()) {
    fail(wire::sqlstate::kFeatureNotSupported, "a canned server does not know this query", out);
    skips_to_sync_ = false;
  } else {
    if (tag == "BEGIN") status_ = 'T';
    if (tag == "COMMIT" || tag == "ROLLBACK") status_ = 'I';
    if (tag == "DISCARD" || tag == "DEALLOCATE") statements_.clear();
    wire::encode_command_complete(out, tag);
  }
  say_ready(out);
}

void CannedServer::end_copy(base::ByteBuffer& out) {
  ++request_count_;
  if (copy_->is_complete()) {
    wire::encode_command_complete(out, "COPY " + std::to_string(copy_->row_count()));
  } else {
    fail(wire::sqlstate::kProtocolViolation, "these are not the rows that were announced", out);
    skips_to_sync_ = false;
  }
  copy_.reset();
  say_ready(out);
}

void CannedServer::take_parse(base::Bytes body, base::ByteBuffer& out) {
  const auto message = wire::parse_parse(body);
  if (!message) return fail(wire::sqlstate::kProtocolViolation, "malformed Parse", out);
  if (!message->name.empty() && statements_.contains(message->name)) {
    return fail(wire::sqlstate::kDuplicatePreparedStatement, "it is there already", out);
  }
  statements_[std::string(message->name)] = message->query;
  wire::encode_parse_complete(out);
}

void CannedServer::take_bind(base::Bytes body, base::ByteBuffer& out) {
  base::ByteReader reader(body);
  reader.c_string();
  const std::string_view name = reader.c_string();
  reader.take(std::size_t{reader.u16()} * 2);
  const std::uint16_t count = reader.u16();
  if (count > 1) return fail(wire::sqlstate::kFeatureNotSupported, "several parameters", out);
  parameter_ = count == 0 ? "" : base::as_text(reader.take(reader.u32()));
  if (!reader.is_good()) return fail(wire::sqlstate::kProtocolViolation, "malformed Bind", out);
  const auto statement = statements_.find(name);
  if (statement == statements_.end()) {
    return fail(wire::sqlstate::kInvalidSqlStatementName, "no such statement", out);
  }
  portal_ = statement->second;
  wire::encode_bind_complete(out);
}

void CannedServer::take_execute(base::ByteBuffer& out) {
  if (is_statement(portal_)) {
    ++request_count_;
    encode_execution(parameter_, out);
  } else if (asks_for_facts(portal_)) {
    encode_facts(pid_, out);
  } else {
    wire::encode_command_complete(out, "SELECT 0");
  }
}

void CannedServer::take_describe(base::Bytes body, base::ByteBuffer& out) {
  const auto target = wire::parse_target(body);
  if (!target) return fail(wire::sqlstate::kProtocolViolation, "malformed Describe", out);
  if (target->kind == 'S') {
    wire::FrameWriter frame(out, 't');
    frame.u16(1);
    frame.u32(25);
  }
  if (target->kind == 'P' && asks_for_facts(portal_)) {
    constexpr std::array<wire::Column, kFactCount> columns{};
    return wire::encode_row_description(out, columns);
  }
  encode_columns(out);
}

void CannedServer::fail(std::string_view sqlstate, std::string_view message,
                        base::ByteBuffer& out) {
  wire::encode_error(
      out,
      {.severity = "ERROR", .sqlstate = std::string(sqlstate), .message = std::string(message)});
  skips_to_sync_ = true;
}

void CannedServer::say_ready(base::ByteBuffer& out) {
  wire::encode_ready_for_query(out, status_);
  ++sync_count_;
}

}  // namespace pgweir::bench
