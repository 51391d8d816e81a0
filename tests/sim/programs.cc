// What simulated clients ask: units, each sent in one go. A unit is drawn by the weights of the
// seed; inside a transaction block other things make sense than outside.
#include <algorithm>
#include <cstdio>

#include "sim/client.h"

namespace pgweir::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

enum Unit : std::size_t {
  Simple,
  Several,
  Block,
  StateChange,
  Unnamed,
  Named,
  Pipeline,
  FlushOnly,
  Rows,
  CopyIn,
  CopyOut,
  Mistake,
  Cancel,
  SessionState,
  Names,
  Function,
};

std::string sleep_of(double longest, base::Rng& rng) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f",
                longest * static_cast<double>(1 + rng.below(100)) / 100.0);
  return text;
}

}  // namespace

// A fresh mark: every statement has its own.
std::string Client::mark() { return to_text({.client = number_, .sequence = ++sequence_}); }

std::string Client::random_named_text() {
  return "SELECT $1 /* named " + std::to_string(world_.rng().below(6)) + " */";
}

std::string Client::select() { return "SELECT '" + mark() + "'"; }

std::string Client::nap() {
  return "SELECT pg_sleep(" + sleep_of(0.02, world_.rng()) + "), '" + mark() + "'";
}

// In a transaction that can go on, or with something on the server that ties it to that one.
bool Client::holds_server() const {
  return session_->status() == 'T' || (session_->status() == 'I' && session_->has_state());
}

void Client::think() {
  is_waiting_for_cancel_ = cancels_pending_ != 0 && !world_.chance(0.3);
  if (is_waiting_for_cancel_) return;
  base::Duration time = world_.between(microseconds(1), milliseconds(2));
  if (world_.chance(rules_.dawdles)) time = world_.between(milliseconds(1), milliseconds(60));
  const double idling = rules_.is_idling_ended && session_->status() != 'I' ? 0.2 : 0.02;
  const bool is_too_long = rules_.may_idle_too_long && world_.chance(idling);
  if (is_too_long) time = seconds(3);
  world_.after(time, [self = shared_from_this(), life = life_, is_too_long] {
    if (self->life_ != life || self->phase_ != Phase::Ready) return;
    if (is_too_long && self->rules_.is_idling_ended && self->session_->status() != 'I') {
      self->complain("could let its transaction idle beyond idle_transaction_timeout");
    }
    self->begin_unit();
  });
}

void Client::begin_unit() {
  if (world_.chance(world_.faults.vanish * 0.3)) return hang_up();
  const bool is_in_block = session_->status() != 'I';
  if (!is_in_block) began_at_ = world_.now();
  if (rules_.is_odd && holds_server() && world_.chance(0.05)) return leave_with_last_words();
  if (units_left_ == 0 && !is_in_block) {
    if (rules_.is_odd && world_.chance(0.3)) return leave_with_last_words();
    return leave(true);
  }
  if (units_left_ > 0) --units_left_;
  ++unit_;
  phase_ = Phase::Busy;
  script_ = {};
  is_extended_copy_ = false;
  if (is_in_block) {
    compose_in_block(script_);
  } else {
    compose(script_);
  }
  send_unit();
}

void Client::send_unit() {
  const base::ByteBuffer bytes = script_.bytes;
  if (world_.is_verbose()) world_.say(describe() + " sends " + readable(bytes));
  if (world_.chance(world_.faults.vanish)) {
    // In the middle of a message, or while it waits.
    if (world_.chance(0.5)) {
      write(base::Bytes(bytes).first(world_.between(std::size_t{0}, bytes.size())));
      hang_up();
      return;
    }
    world_.after(world_.between(microseconds(1), milliseconds(10)),
                 [self = shared_from_this(), life = life_] {
                   if (self->life_ == life) self->leave(self->world_.chance(0.3));
                 });
  }
  asked_at_ = world_.now();
  // An empty text begins nothing that a server would tell of.
  const bool has_statement =
      std::any_of(script_.due().begin(), script_.due().end(),
                  [](const Expected& expected) { return expected.statement.has_value(); });
  if (has_statement) door_.note_asked(*this);
  if (rules_.is_odd && world_.chance(0.1)) return write_in_parts(bytes);
  write(bytes);
  if (rules_.is_odd && world_.chance(0.01)) half_close();
}

void Client::compose(Script& script) {
  double sum = 0;
  for (const double weight : rules_.weights) sum += weight;
  double at = sum * static_cast<double>(world_.rng().below(10'000)) / 10'000;
  std::size_t unit = 0;
  while (unit + 1 < rules_.weights.size() && at >= rules_.weights[unit])
    at -= rules_.weights[unit++];
  const auto count = [&](std::size_t most) { return std::to_string(world_.between(0, most)); };
  switch (static_cast<Unit>(unit)) {
    case Unit::Simple: return script.query(world_.chance(0.02) ? "" : select());
    case Unit::Several: return script.query(select() + "; " + random_set(false) + "; " + select());
    case Unit::Block: return script.query("BEGIN /* " + mark() + " */");
    case Unit::StateChange: return compose_state_change(script);
    case Unit::Unnamed: return compose_extended(script, false);
    case Unit::Named: return compose_extended(script, true);
    case Unit::Pipeline: return compose_pipeline(script);
    case Unit::FlushOnly:
      run_extended(script, "SELECT $1 /* flushed */");
      script.flush();
      is_batch_open_ = true;
      return;
    case Unit::Rows:
      return script.query("SELECT repeat('x', " + count(2000) + ") FROM generate_series(1, " +
                          count(world_.chance(0.1) ? 300 : 30) + ") /* " + mark() + " */");
    case Unit::CopyIn:
      if (world_.chance(0.5)) {
        std::string text = "COPY t FROM STDIN /* " + mark() + " */";
        if (rules_.is_odd && world_.chance(0.3)) text += "; COPY u FROM STDIN /* " + mark() + " */";
        if (rules_.is_odd && world_.chance(0.3)) text = "COPY bad FROM STDIN /* " + mark() + " */";
        script.query(text);
      } else {
        is_extended_copy_ = true;
        const bool is_bad = rules_.is_odd && world_.chance(0.3);
        const std::string text =
            "COPY " + std::string(is_bad ? "bad" : "t") + " FROM STDIN /* " + mark() + " */";
        script.parse("", text);
        script.bind("", "");
        script.execute(text, "");
        script.sync();
      }
      script.set_count_of_copy(world_.between(std::size_t{0}, 40));
      return;
    case Unit::CopyOut:
      return script.query("COPY (SELECT repeat('x', " + count(500) + ") FROM generate_series(1, " +
                          count(40) + ")) TO STDOUT /* " + mark() + " */");
    case Unit::Mistake: return compose_mistake(script);
    case Unit::Cancel:
      script.query(nap());
      return world_.chance(0.3) ? guess_cancel_soon() : cancel_soon();
    case Unit::SessionState: return compose_session_state(script);
    case Unit::Names: return compose_names(script);
    case Unit::Function: has_called_function_ = true; return script.function_call(mark());
  }
}

void Client::compose_in_block(Script& script) {
  if (session_->status() == 'E') {
    const bool goes_back = session_->has_savepoint("s") && world_.chance(0.6) && units_left_ > 0;
    return script.query((goes_back ? "ROLLBACK TO s /* " : "ROLLBACK /* ") + mark() + " */");
  }
  if (units_left_ == 0) return script.query("COMMIT /* " + mark() + " */");
  switch (world_.rng().below(13)) {
    case 12:
      return script.query(rules_.has_session_state ? random_state_change() : random_set(false));
    case 0:
    case 1: return script.query("COMMIT /* " + mark() + " */");
    case 2: return script.query("ROLLBACK /* " + mark() + " */");
    case 3: return script.query(random_set(false));
    case 4:
      script.query(random_set(true) + "; " + select());
      if (rules_.reads_apart) compose_extended(script, true);
      return;
    case 5: return script.query("SAVEPOINT s /* " + mark() + " */");
    case 6:
      if (!session_->has_savepoint("s")) {
        return script.query("SAVEPOINT s /* " + mark() + " */; " + random_set(false) +
                            "; ROLLBACK TO s /* " + mark() + " */");
      }
      return script.query((world_.chance(0.5) ? "ROLLBACK TO s /* " : "RELEASE s /* ") + mark() +
                          " */");
    case 7: return script.query("SELECT 1/0 /* " + mark() + " */");
    case 8: return compose_extended(script, world_.chance(0.5));
    case 9: return script.query("COMMIT /* " + mark() + " */; " + select());
    case 10: script.query(nap()); return;
    default: return script.query(select());
  }
}

// Parse, Bind, Describe, Execute of the unnamed statement; Sync or Flush is the caller's.
void Client::run_extended(Script& script, const std::string& text) {
  const std::string argument = mark();
  script.parse("", text);
  if (world_.chance(0.3)) script.describe_statement("", text);
  script.bind("", argument);
  if (world_.chance(0.5)) script.describe_portal(text);
  script.execute(text, argument);
}

void Client::compose_extended(Script& script, bool is_named) {
  if (!is_named) {
    run_extended(script, "SELECT $1 /* text " + std::to_string(world_.rng().below(3)) + " */");
    return script.sync();
  }
  const std::string name = "s" + std::to_string(world_.rng().below(4));
  const auto known = prepared_.find(name);
  std::string text = random_named_text();
  if (known == prepared_.end()) {
    script.parse(name, text);
    if (world_.chance(0.3)) {
      script.describe_statement(name, text);
      script.sync();
      return;
    }
  } else {
    text = known->second;
  }
  const std::string argument = mark();
  script.bind(name, argument);
  if (world_.chance(0.3)) script.describe_portal(text);
  script.execute(text, argument);
  script.sync();
}

void Client::compose_pipeline(Script& script) {
  const std::size_t count = world_.between(std::size_t{2}, 8);
  for (std::size_t i = 0; i < count; ++i) {
    switch (world_.rng().below(6)) {
      case 0: compose_extended(script, false); break;
      case 1: script.query(select()); break;
      case 2: script.sync(); break;
      case 3: {
        const std::string text = random_set(false);
        script.parse("", text);
        script.bind("", "");
        script.execute(text, "");
        script.sync();
        break;
      }
      case 4: compose_failed_batch(script); break;
      default: {
        // Two of them in one implicit transaction.
        run_extended(script, "SELECT $1 /* first */");
        run_extended(script, "SELECT $1 /* second */");
        script.sync();
      }
    }
  }
}

// A statement that fails, and requests behind it, which the server skips.
void Client::compose_failed_batch(Script& script) {
  const std::string text = "SELECT 1/0 /* " + mark() + " */";
  script.parse("", text);
  script.bind("", "");
  script.execute(text, "");
  const std::string name = "s" + std::to_string(world_.rng().below(4));
  const bool is_free = !prepared_.contains(name);
  if (is_free) script.parse_unanswered(name, random_named_text());
  script.send_unanswered("", mark());
  script.sync();
}

std::string Client::random_set(bool is_local) {
  const std::string value = std::to_string(world_.rng().below(4));
  const std::string lead = is_local ? "SET LOCAL " : "SET ";
  const std::string tail = " /* " + mark() + " */";
  if (rules_.reads_apart && world_.chance(0.3)) {
    if (world_.chance(0.8)) return lead + "TimeZone TO 'Zone/" + value + "'" + tail;
    return lead + "standard_conforming_strings TO " + (value < "2" ? "on" : "off") + tail;
  }
  switch (world_.rng().below(5)) {
    case 0: return lead + "application_name = 'set" + value + "'" + tail;
    case 1: return lead + "my.tag TO 'tag" + value + "'" + tail;
    case 2: return lead + "search_path TO a" + value + ", public" + tail;
    case 3: return lead + "statement_timeout = " + value + "000" + tail;
    default: return lead + "DateStyle TO " + (value < "2" ? "German" : "ISO") + tail;
  }
}

void Client::compose_state_change(Script& script) {
  switch (world_.rng().below(4)) {
    case 0: return script.query("RESET my.tag /* " + mark() + " */");
    case 1: return script.query("RESET statement_timeout /* " + mark() + " */");
    case 2: return script.query("SHOW search_path /* " + mark() + " */");
    default: return script.query(random_set(false));
  }
}

void Client::compose_session_state(Script& script) {
  if (session_->has_state() && world_.chance(0.2)) {
    return script.query("DISCARD ALL /* " + mark() + " */");
  }
  if (!rules_.has_session_state) return script.query(select());
  script.query(random_state_change());
}

std::string Client::random_state_change() {
  const std::string tail = " /* " + mark() + " */";
  switch (world_.rng().below(4)) {
    case 0: return "LISTEN news" + tail;
    case 1: return "CREATE TEMP TABLE IF NOT EXISTS x()" + tail;
    case 2: return "UNLISTEN news" + tail;
    default: return "DROP TABLE IF EXISTS x" + tail;
  }
}

void Client::compose_mistake(Script& script) {
  switch (world_.rng().below(4)) {
    case 0: return script.query(select() + "; SELECT 1/0 /* " + mark() + " */; " + select());
    case 1:
      script.bind("never_prepared", mark());
      script.expect_error("26000");
      return script.sync();
    case 2:
      if (!prepared_.empty()) {
        script.parse(prepared_.begin()->first, "SELECT $1 /* another */");
        script.expect_error("42P05");
        return script.sync();
      }
      return script.query("SELECT 1/0 /* " + mark() + " */");
    default: return script.query(random_set(false) + "; SELECT 1/0 /* " + mark() + " */");
  }
}

void Client::compose_names(Script& script) {
  if (prepared_.empty()) return compose_extended(script, true);
  const std::string name = prepared_.begin()->first;
  switch (world_.rng().below(4)) {
    case 0: return script.query("DEALLOCATE " + name);
    case 1: return script.query("DEALLOCATE ALL /* " + mark() + " */");
    default: script.close(name); return script.sync();
  }
}

}  // namespace pgweir::sim
