#include "session/query_cycle.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace pgweir::session {
namespace {

constexpr std::size_t kRingSizeMin = 16;

bool is_extended(Request request) {
  switch (request) {
    case Request::Parse:
    case Request::Bind:
    case Request::Describe:
    case Request::Execute:
    case Request::Close: return true;
    case Request::Query:
    case Request::FunctionCall:
    case Request::Sync:
    case Request::CopyEnd: return false;
  }
  return false;
}

enum class Meaning : std::uint8_t { Wrong, Part, End };

// What a reply of this type means to a request of this kind.
Meaning meaning_of(char type, Request request) {
  switch (request) {
    case Request::Query:
      if (type == 'Z') return Meaning::End;
      return type != '\0' && std::string_view("TDCIGHdc").find(type) != std::string_view::npos
                 ? Meaning::Part
                 : Meaning::Wrong;
    case Request::FunctionCall:
      if (type == 'Z') return Meaning::End;
      return type == 'V' ? Meaning::Part : Meaning::Wrong;
    case Request::Parse: return type == '1' ? Meaning::End : Meaning::Wrong;
    case Request::Bind: return type == '2' ? Meaning::End : Meaning::Wrong;
    case Request::Close: return type == '3' ? Meaning::End : Meaning::Wrong;
    case Request::Sync: return type == 'Z' ? Meaning::End : Meaning::Wrong;
    case Request::Describe:
      if (type == 't') return Meaning::Part;
      return type == 'T' || type == 'n' ? Meaning::End : Meaning::Wrong;
    case Request::Execute:
      if (type == 'C' || type == 'I' || type == 's') return Meaning::End;
      return type != '\0' && std::string_view("DGHdc").find(type) != std::string_view::npos
                 ? Meaning::Part
                 : Meaning::Wrong;
    case Request::CopyEnd: return Meaning::Wrong;
  }
  return Meaning::Wrong;
}

base::Error confused(char type) {
  return {.code = base::ErrorCode::ProtocolViolation,
          .side = base::Side::Server,
          .context = std::string("the server sent a message of type '") + type +
                     "' that answers nothing it was asked"};
}

}  // namespace

bool QueryCycle::expect(Expectation expectation) {
  if (expectation.origin != Origin::Synthetic) note_batch(expectation.request);
  if (skips_to_sync_) {
    if (expectation.request != Request::Sync) return false;
    skips_to_sync_ = false;
    push(expectation);
    return true;
  }
  // PostgreSQL ignores Sync and Flush inside COPY IN: no ReadyForQuery will come for it.
  if (expectation.request == Request::Sync && copies_in_) {
    has_lost_sync_ = true;
    return false;
  }
  if (expectation.request == Request::CopyEnd && copies_in_) {
    copies_in_ = false;
    return false;
  }
  push(expectation);
  drop_copy_ends();
  return expectation.request != Request::CopyEnd;
}

void QueryCycle::note_batch(Request request) {
  if (is_extended(request)) {
    has_open_batch_ = true;
  } else if (request != Request::CopyEnd && !(request == Request::Sync && copies_in_)) {
    has_open_batch_ = false;  // A Query ends what was open, as exec_simple_query does.
  }
}

base::Result<QueryCycle::Step> QueryCycle::handle_reply(char type, char status) {
  if (count_ == 0 && is_doubtful_ && type == 'Z') expect({.request = Request::Sync});
  if (count_ == 0) return confused(type);
  const Expectation head = at(0);
  ASSERT(head.origin != Origin::Synthetic);
  if (type == 'E') return fail(head);
  if (copies_in_ || (has_failed_ && type != 'Z')) return confused(type);
  Step step{.fate = head.origin == Origin::Ours ? Fate::Swallow : Fate::Forward, .answered = head};
  switch (meaning_of(type, head.request)) {
    case Meaning::Wrong: return confused(type);
    case Meaning::Part:
      if (type == 'G') begin_copy_in();
      if (type == 'C') has_lost_sync_ = false;  // That COPY has read all in front of its end.
      return step;
    case Meaning::End: break;
  }
  step.is_answered = true;
  if (type == 'Z') status_ = status;
  has_failed_ = has_lost_sync_ = false;
  pop();
  drop_copy_ends();
  return step;
}

QueryCycle::Step QueryCycle::fail(const Expectation& failed) {
  // An extended request of ours stands in front of the client's own, which will be skipped for it:
  // this is the answer to that.
  const bool is_ours = failed.origin == Origin::Ours && !is_extended(failed.request);
  Step step{.fate = is_ours ? Fate::Swallow : Fate::Forward, .is_failed = true, .answered = failed};
  copies_in_ = false;
  is_doubtful_ = is_doubtful_ || has_lost_sync_;
  has_lost_sync_ = false;
  // Query, FunctionCall and Sync still get their ReadyForQuery; the rest is skipped up to Sync.
  has_failed_ = !is_extended(failed.request);
  if (!has_failed_) {
    pop();
    skip_until_sync();
  }
  return step;
}

void QueryCycle::skip_until_sync() {
  while (count_ > 0 && at(0).request != Request::Sync) {
    skipped_.push_back(at(0));
    pop();
  }
  skips_to_sync_ = count_ == 0;
}

bool QueryCycle::take_synthetic(Expectation& out) {
  if (count_ == 0 || at(0).origin != Origin::Synthetic) return false;
  out = at(0);
  pop();
  drop_copy_ends();
  return true;
}

// The server reads what was sent behind the Execute or Query now, in COPY mode: Syncs in front of
// CopyDone are lost, and if CopyDone is on its way already, COPY IN is over for the sender.
void QueryCycle::begin_copy_in() {
  copies_in_ = true;
  for (std::size_t i = 1; i < count_ && copies_in_;) {
    const Request request = at(i).request;
    copies_in_ = request != Request::CopyEnd;
    has_lost_sync_ = has_lost_sync_ || request == Request::Sync;
    if (request == Request::CopyEnd || request == Request::Sync) {
      remove(i);
    } else {
      ++i;
    }
  }
  if (has_lost_sync_) has_open_batch_ = ends_in_batch();
}

// Whether a Sync is still to come behind what has been sent.
bool QueryCycle::ends_in_batch() const {
  for (std::size_t i = count_; i-- > 0;) {
    if (at(i).origin == Origin::Synthetic || at(i).request == Request::CopyEnd) continue;
    return is_extended(at(i).request);
  }
  return false;
}

bool QueryCycle::owes_client() const {
  for (std::size_t i = 0; i < count_; ++i) {
    if (at(i).origin != Origin::Ours) return true;
  }
  return skips_to_sync_;
}

void QueryCycle::disown() {
  for (std::size_t i = 0; i < count_;) {
    if (at(i).origin == Origin::Synthetic) {
      remove(i);
      continue;
    }
    at(i).origin = Origin::Ours;
    ++i;
  }
}

void QueryCycle::reset() {
  head_ = count_ = 0;
  skipped_.clear();
  status_ = 'I';
  copies_in_ = skips_to_sync_ = has_open_batch_ = false;
  has_failed_ = has_lost_sync_ = is_doubtful_ = false;
}

void QueryCycle::push(Expectation expectation) {
  if (count_ == ring_.size()) {
    std::vector<Expectation> larger(std::max(kRingSizeMin, ring_.size() * 2));
    for (std::size_t i = 0; i < count_; ++i) larger[i] = at(i);
    ring_.swap(larger);
    head_ = 0;
  }
  at(count_++) = expectation;
}

void QueryCycle::pop() {
  head_ = (head_ + 1) & (ring_.size() - 1);
  --count_;
}

void QueryCycle::drop_copy_ends() {
  while (count_ > 0 && at(0).request == Request::CopyEnd) pop();
}

void QueryCycle::remove(std::size_t index) {
  for (std::size_t i = index; i + 1 < count_; ++i) at(i) = at(i + 1);
  --count_;
}

}  // namespace pgweir::session
