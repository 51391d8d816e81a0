#include "sim/client.h"

#include <algorithm>

#include "wire/authentication.h"
#include "wire/query.h"
#include "wire/reply.h"

namespace pgweir::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;

Client::Client(Door& door, ClientRules rules, std::string database, std::string user)
    : door_(door),
      world_(door.world()),
      rules_(rules),
      database_(std::move(database)),
      user_(std::move(user)) {}

std::string Client::describe() const { return "client " + std::to_string(number_); }

void Client::start() {
  lives_ = world_.between(std::size_t{1}, rules_.lives_max);
  world_.after(world_.between(microseconds(0), milliseconds(20)),
               [self = shared_from_this()] { self->connect(); });
}

void Client::connect() {
  if (is_winding_down_ || lives_ == 0 || door_.cuts_at()) {
    phase_ = Phase::Done;
    return;
  }
  --lives_;
  ++life_;
  number_ = door_.next_number();
  sequence_ = 0;
  inbox_.clear();
  outbox_.clear();
  farewell_.reset();
  authenticator_.reset();
  prepared_.clear();
  readings_.clear();
  rest_.clear();
  is_half_closed_ = false;
  reported_.clear();
  script_ = {};
  is_batch_open_ = is_in_error_ = has_called_function_ = false;
  cancels_pending_ = cancellable_unit_ = 0;
  asked_at_ = base::kNever;
  units_left_ = world_.between(rules_.units_min, rules_.units_max);
  is_slow_ = world_.chance(world_.faults.slow_reader);
  phase_ = Phase::LoggingIn;
  const bool is_small = world_.chance(world_.faults.small_buffer);
  link_ = std::make_shared<Link>(world_,
                                 is_small ? world_.between(std::size_t{1500}, 4000) : 128 * 1024);
  link_->name = describe();
  const auto guard = [self = shared_from_this(), life = life_](void (Client::*then)()) {
    if (self->life_ == life) ((*self).*then)();
  };
  link_->to_peer->on_readable = [guard] { guard(&Client::read); };
  link_->to_proxy->on_room = [guard] { guard(&Client::push); };
  door_.enter(link_);
  send_startup();
}

void Client::choose_parameters(wire::Parameters& parameters, Settings& defaults) {
  std::string options;
  const std::string own = std::to_string(number_ % 5);
  if (world_.chance(0.7)) {
    parameters.emplace_back("application_name", "app" + own);
    defaults["application_name"] = "app" + own;
  }
  if (world_.chance(0.2)) {
    const std::string style = world_.chance(0.5) ? "German" : "ISO";
    parameters.emplace_back("DateStyle", style);
    defaults["DateStyle"] = canonical_value("DateStyle", style);
  }
  if (world_.chance(0.2)) {
    options += "-c my.tag=start" + own;
    defaults["my.tag"] = "start" + own;
  }
  if (world_.chance(0.2)) {
    options += " --search_path=schema" + own;
    defaults["search_path"] = "schema" + own;
  }
  if (rules_.reads_apart && world_.chance(0.5)) {
    parameters.emplace_back("TimeZone", "Zone/" + own);
    defaults["TimeZone"] = "Zone/" + own;
  }
  if (!options.empty()) parameters.emplace_back("options", options);
}

void Client::send_startup() {
  wire::Parameters parameters{{"user", user_}, {"database", database_}};
  Settings defaults = server_settings();
  if (rules_.has_parameters) choose_parameters(parameters, defaults);
  session_.emplace(defaults);
  world_.say(describe() + " connects to " + database_ + " as " + user_);
  base::ByteBuffer out;
  wire::encode_startup(out, wire::kProtocol30, parameters);
  write(out);
}

void Client::write(base::Bytes bytes) {
  outbox_.push(rest_);
  rest_.clear();
  outbox_.push(bytes);
  push();
}

void Client::push() {
  if (!outbox_.empty()) outbox_.pop(link_->to_proxy->write(outbox_.bytes()));
}

void Client::read() {
  if (phase_ == Phase::Away || phase_ == Phase::Done) return;
  Stream& in = *link_->to_peer;
  if (is_slow_ && phase_ != Phase::LoggingIn) {
    if (is_reading_soon_) return;
    is_reading_soon_ = true;
    world_.after(world_.between(milliseconds(1), milliseconds(15)),
                 [self = shared_from_this(), life = life_] {
                   self->is_reading_soon_ = false;
                   if (self->life_ != life) return self->read();
                   Stream& stream = *self->link_->to_peer;
                   const base::Bytes part =
                       stream.unread().first(std::min<std::size_t>(stream.unread().size(), 3000));
                   self->inbox_.push(part);
                   if (!part.empty()) stream.consume(part.size());
                   const bool is_all = part.empty();
                   self->take_frames();
                   if (self->life_ == life && !is_all) self->read();
                 });
    return;
  }
  const std::size_t there = in.unread().size();
  inbox_.push(in.unread());
  if (there != 0) in.consume(there);
  take_frames();
}

void Client::take_frames() {
  const std::uint64_t life = life_;
  while (life_ == life && phase_ != Phase::Away && phase_ != Phase::Done) {
    base::Bytes input = inbox_.bytes();
    const std::size_t before = input.size();
    auto frame = wire::take_frame(input, wire::kBodyBytesMax, base::Side::Server);
    if (!frame) complain("garbage: " + frame.error().context);
    if (!*frame) {
      if (const End end = link_->to_peer->end(); end != End::None) handle_end(end);
      return;
    }
    const base::ByteBuffer body((*frame)->body.begin(), (*frame)->body.end());
    const char type = (*frame)->type;
    if (world_.is_verbose()) world_.say(describe() + " gets " + type + " " + readable(body));
    inbox_.pop(before - input.size());
    handle_frame({.type = type, .body = body});
  }
}

void Client::handle_frame(const wire::Frame& frame) {
  check_delay();
  switch (frame.type) {
    case 'R': handle_authentication(frame.body); return;
    case 'S': {
      const auto status = wire::parse_parameter_status(frame.body);
      reported_[std::string(status.value().name)] = std::string(status.value().value);
      return;
    }
    case 'K': key_ = wire::parse_backend_key_data(frame.body).value(); return;
    case 'N': handle_notice(wire::parse_report(frame.body).value()); return;
    case 'E': handle_error(wire::parse_report(frame.body).value()); return;
    case 'Z':
      if (phase_ == Phase::LoggingIn) {
        phase_ = Phase::Ready;
        think();
        return;
      }
      break;
    default: break;
  }
  handle_reply(frame);
}

void Client::handle_authentication(base::Bytes body) {
  if (!authenticator_) {
    auth::ServerAuthOptions options;
    options.user = user_;
    options.credential = base::Secret("swordfish");
    options.channel_binding = auth::ChannelBinding::Disable;
    options.nonce.resize(auth::kServerNonceBytesMin);
    for (std::byte& b : options.nonce) b = std::byte(world_.rng().below(256));
    options.cache = &door_.passwords();
    authenticator_.emplace(std::move(options));
  }
  base::ByteBuffer out;
  const auto outcome = authenticator_->handle(body, out);
  if (!outcome) complain("authentication: " + outcome.error().context);
  write(out);
}

void Client::leave(bool is_polite) {
  base::ByteBuffer out;
  if (is_polite) wire::encode_terminate(out);
  write(out);
  hang_up();
}

// From here on nothing is sent or read.
void Client::hang_up() {
  world_.say(describe() + " hangs up");
  link_->to_peer->abandon();
  link_->to_proxy->on_room = nullptr;
  if (world_.chance(0.2)) {
    link_->was_reset = true;
    link_->to_proxy->break_off(End::Reset);
  } else {
    link_->to_proxy->finish(End::Eof);
  }
  come_back();
}

void Client::come_back() {
  link_->to_peer->abandon();
  link_->to_proxy->finish(End::Eof);
  link_->to_proxy->on_room = nullptr;
  ++life_;
  phase_ = Phase::Away;
  world_.after(world_.between(microseconds(10), milliseconds(10)),
               [self = shared_from_this()] { self->connect(); });
}

void Client::wind_down() {
  is_winding_down_ = true;
  units_left_ = 0;
  is_slow_ = false;
  if (phase_ == Phase::Away && lives_ == 0) phase_ = Phase::Done;
}

void Client::complain(const std::string& what) const {
  fail(describe() + " of " + database_ + "/" + user_ + ": " + what);
}

}  // namespace pgweir::sim
