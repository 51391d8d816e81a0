#include "played_client.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "wire/frame.h"
#include "wire/report.h"
#include "wire/startup.h"

namespace pgweir::bench {

PlayedClient::PlayedClient(const Workload& workload, std::size_t number) : workload_(workload) {
  progress_.client = number;
}

void PlayedClient::begin_login(Identity& identity, std::string database, const base::TlsInfo* tls,
                               base::ByteBuffer& out) {
  is_logged_in_ = false;
  turn_.answer.clear();
  matched_ = 0;
  progress_.prepared.reset();
  authenticator_.emplace(identity.make_authenticator(tls));
  wire::encode_startup(out, wire::kProtocol30,
                       {{"user", identity.user()}, {"database", std::move(database)}});
}

void PlayedClient::begin_turn(base::Instant now, base::ByteBuffer& out) {
  matched_ = 0;
  began_at_ = now;
  encode_turn(workload_, progress_, out, turn_);
}

PlayedClient::Outcome PlayedClient::handle_bytes(base::Bytes bytes, base::ByteBuffer& out) {
  out.clear();
  if (!is_logged_in_) return handle_login(bytes, out);
  const std::size_t due = turn_.answer.size() - matched_;
  if (bytes.size() > due) return fail("more than the answer", bytes);
  if (std::memcmp(bytes.data(), turn_.answer.data() + matched_, bytes.size()) != 0) {
    return fail("another answer than is due", bytes);
  }
  matched_ += bytes.size();
  if (matched_ >= turn_.cue) {
    out.swap(turn_.rest);
    turn_.rest.clear();
  }
  return is_idle() ? Outcome::Answered : Outcome::Underway;
}

// It is kept as the answer until all of it is there.
PlayedClient::Outcome PlayedClient::handle_login(base::Bytes bytes, base::ByteBuffer& out) {
  base::append(turn_.answer, bytes);
  base::Bytes rest = base::Bytes(turn_.answer).subspan(matched_);
  while (true) {
    const auto frame = wire::take_frame(rest, wire::kBodyBytesMax, base::Side::Server);
    if (!frame) return fail("a malformed welcome", bytes);
    if (!*frame) return Outcome::Underway;
    matched_ = turn_.answer.size() - rest.size();
    const Outcome outcome = take_welcome(**frame, out);
    if (outcome == Outcome::Underway) continue;
    if (outcome == Outcome::LoggedIn && !rest.empty()) return fail("more than the welcome", rest);
    turn_.answer.clear();
    matched_ = 0;
    return outcome;
  }
}

// Of the welcome only its end matters, that it asks for no more than we have, and that it holds no
// error.
PlayedClient::Outcome PlayedClient::take_welcome(const wire::Frame& frame, base::ByteBuffer& out) {
  if (frame.type == 'E') {
    what_ = "its login was refused: " + wire::parse_report_head(frame.body).message;
    return Outcome::Refused;
  }
  if (frame.type == 'R') {
    const auto step = authenticator_->handle(frame.body, out);
    return step ? Outcome::Underway : fail(step.error().context, frame.body);
  }
  if (frame.type != 'Z') return Outcome::Underway;
  authenticator_.reset();
  is_logged_in_ = true;
  return Outcome::LoggedIn;
}

PlayedClient::Outcome PlayedClient::fail(std::string_view what, base::Bytes bytes) {
  what_ = "client " + std::to_string(progress_.client) + " heard " + std::string(what) + ": ";
  for (const char c : base::as_text(bytes.first(std::min<std::size_t>(bytes.size(), 120)))) {
    what_ += c >= ' ' && c < '\x7f' ? c : '.';
  }
  return Outcome::Wrong;
}

}  // namespace pgweir::bench
