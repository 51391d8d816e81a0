#include "sim/backend.h"

#include <algorithm>

#include "wire/authentication.h"
#include "wire/reply.h"
#include "wire/sqlstate.h"

namespace pgweir::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// PostgreSQL's authentication_timeout.
constexpr base::Duration kLoginTime = seconds(60);
// How long until keepalive tells of an end that was lost on the way.
constexpr base::Duration kKeepalive = seconds(90);
// Where nothing is sent any more, it may never tell: pgweir has to give up by itself.
constexpr base::Duration kNoKeepalive = std::chrono::hours(24);

}  // namespace

Backend::Backend(Host& host, std::shared_ptr<Link> link, std::uint32_t pid)
    : host_(host), world_(host.world()), link_(std::move(link)), pid_(pid) {
  secret_ = static_cast<std::uint32_t>(world_.rng().next());
  link_->name = describe();
}

std::string Backend::describe() const { return "backend " + std::to_string(pid_); }

void Backend::start() {
  link_->to_peer->on_readable = [self = shared_from_this()] { self->work(); };
  link_->to_proxy->on_room = [self = shared_from_this()] {
    self->push();
    if (self->outbox_.empty() && self->running_ && self->running_->is_producing) self->produce();
    self->work();
  };
  world_.after(kLoginTime, [self = shared_from_this()] {
    if (self->phase_ != Phase::Session) self->exit(End::Eof);
  });
  work();
}

// As the main loop of a backend: the next message, unless it is busy.
void Backend::work() {
  last_work_ = world_.now();
  if (is_working_ || phase_ == Phase::Dead) return;
  if (link_->to_peer->end() == End::Reset) {
    // Noticed when it next reads or writes; a sleeping statement sleeps on.
    if (!running_ || is_copying_in_) exit(End::Reset);
    return;
  }
  is_working_ = true;
  while (phase_ != Phase::Dead && !is_exiting_ && outbox_.empty() &&
         (!running_ || is_copying_in_)) {
    const base::Bytes unread = link_->to_peer->unread();
    const std::size_t read = std::min<std::size_t>(unread.size(), 8192);
    inbox_.push(unread.first(read));
    if (read != 0) link_->to_peer->consume(read);
    const bool is_taken = phase_ == Phase::Startup ? take_packet() : take_message();
    if (is_taken || read != 0) continue;
    if (link_->to_peer->end() != End::None) exit_soon();
    break;
  }
  is_working_ = false;
}

bool Backend::take_packet() {
  base::Bytes input = inbox_.bytes();
  const std::size_t before = input.size();
  auto packet = wire::take_first_packet(input);
  if (!packet) fail(describe() + ": a bad first packet: " + packet.error().context);
  if (!*packet) return false;
  const wire::FirstPacket first = std::move(**packet);
  inbox_.pop(before - input.size());
  if (const auto* key = std::get_if<wire::CancelKey>(&first)) {
    is_exiting_ = true;
    if (world_.chance(world_.faults.lost_cancel)) return true;
    const base::Duration delay = world_.between(microseconds(10), milliseconds(2));
    world_.after(delay, [self = shared_from_this(), key = *key] {
      self->host_.cancel(key);
      self->exit(End::Eof);
    });
  } else if (const auto* message = std::get_if<wire::StartupMessage>(&first)) {
    begin_session(*message);
  } else {
    base::append(reply_, base::as_bytes("N"));
    flush();
  }
  return true;
}

void Backend::begin_session(const wire::StartupMessage& message) {
  user_ = message.find("user").value_or("");
  database_ = message.find("database").value_or("");
  phase_ = Phase::Authentication;
  if (const auto refusal = host_.enter(*this)) {
    fatal(*refusal);
    return;
  }
  authenticator_.emplace(host_.auth_options(user_));
  const auto outcome = authenticator_->start(reply_);
  if (!outcome) fail(outcome.error().context);
  conclude(*outcome);
}

bool Backend::take_message() {
  base::Bytes input = inbox_.bytes();
  const std::size_t before = input.size();
  auto frame = wire::take_frame(input, wire::kBodyBytesMax, base::Side::Client);
  if (!frame) fail(describe() + ": " + frame.error().context);
  if (!*frame) return false;
  const base::ByteBuffer body((*frame)->body.begin(), (*frame)->body.end());
  const wire::Frame copy{.type = (*frame)->type, .body = body};
  inbox_.pop(before - input.size());
  if (phase_ == Phase::Authentication) {
    handle_password(copy);
  } else {
    handle_message(copy);
  }
  return true;
}

void Backend::handle_password(const wire::Frame& frame) {
  const auto outcome = authenticator_->handle(frame, reply_);
  if (!outcome) fail(describe() + ": " + outcome.error().context);
  conclude(*outcome);
}

void Backend::conclude(auth::ClientAuthenticator::Outcome outcome) {
  switch (outcome) {
    case auth::ClientAuthenticator::Outcome::Continue: flush(); return;
    case auth::ClientAuthenticator::Outcome::Refused:
      fatal({.severity = "FATAL",
             .sqlstate = std::string(wire::sqlstate::kInvalidPassword),
             .message = "password authentication failed"});
      return;
    case auth::ClientAuthenticator::Outcome::Accepted: break;
  }
  phase_ = Phase::Session;
  is_exiting_ = true;  // Reads nothing meanwhile.
  const base::Duration delay = world_.chance(world_.faults.slow_login)
                                   ? world_.between(milliseconds(1), seconds(8))
                                   : world_.between(microseconds(100), milliseconds(3));
  world_.after(delay, [self = shared_from_this()] {
    if (self->phase_ == Phase::Dead) return;
    self->is_exiting_ = false;
    self->welcome();
    self->work();
  });
}

void Backend::welcome() {
  wire::encode_authentication_ok(reply_);
  for (const auto& [name, value] : session_.settings()) {
    if (!is_reported(name)) continue;
    wire::encode_parameter_status(reply_, name, value);
    told_[name] = value;
  }
  wire::encode_parameter_status(reply_, "server_version", "15.6 (simulated)");
  wire::CancelKey key{.pid = pid_, .secret = base::ByteBuffer(4)};
  base::store_u32(key.secret.data(), secret_);
  wire::encode_backend_key_data(reply_, key);
  ready();
}

void Backend::flush() {
  outbox_.push(reply_);
  reply_.clear();
  push();
}

void Backend::push() {
  if (outbox_.empty() || phase_ == Phase::Dead) return;
  const double reset = world_.faults.reset_server;
  outbox_.pop(link_->to_proxy->write(outbox_.bytes()));
  if (world_.chance(reset) && !link_->was_reset) {
    link_->was_reset = true;
    world_.after(world_.between(microseconds(0), milliseconds(3)),
                 [link = link_] { link->reset(); });
  }
}

void Backend::fatal(const wire::Report& report) {
  wire::encode_error(reply_, report);
  flush();
  exit_soon();
}

void Backend::exit_soon() {
  if (is_exiting_ || phase_ == Phase::Dead) return;
  is_exiting_ = true;
  const base::Duration delay = world_.between(microseconds(10), milliseconds(3));
  world_.after(delay, [self = shared_from_this()] { self->exit(End::Eof); });
}

void Backend::exit(End end) {
  if (phase_ == Phase::Dead) return;
  world_.say(describe() + " exits");
  phase_ = Phase::Dead;
  running_.reset();
  link_->to_peer->abandon();
  if (end == End::Reset) {
    link_->to_proxy->break_off(End::Reset);
  } else if (world_.chance(world_.faults.lost_end)) {
    link_->to_proxy->finish(End::Timeout, is_dismissed_ ? kNoKeepalive : kKeepalive);
  } else {
    link_->to_proxy->finish(End::Eof);
  }
  link_->to_proxy->on_room = nullptr;
  host_.handle_exit(*this);
}

void Backend::terminate(std::string_view sqlstate, std::string_view message) {
  if (phase_ == Phase::Dead || is_exiting_) return;
  world_.say(describe() + " is terminated");
  ++run_generation_;
  running_.reset();
  reply_.clear();
  fatal({.severity = "FATAL", .sqlstate = std::string(sqlstate), .message = std::string(message)});
}

// Only once its last answer has been read: until then whoever got that may have the server still.
void Backend::mutter() {
  if (!is_at_rest() || !link_->to_proxy->is_drained()) return;
  world_.say(describe() + " mutters");
  wire::encode_notice(reply_, {.severity = "NOTICE", .sqlstate = "00000", .message = kMuttering});
  flush();
}

void Backend::crash() { exit(End::Reset); }

bool Backend::is_at_rest() const {
  return phase_ == Phase::Session && !is_exiting_ && !running_ && !is_copying_in_ &&
         !skips_to_sync_ && !is_batch_open_ && session_.status() == 'I' && owner_ == 0 &&
         inbox_.empty() && outbox_.empty();
}

}  // namespace pgweir::sim
