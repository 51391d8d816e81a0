// QueryCycle: which answers a server still owes, and to whom. It decides for every reply whether it
// goes to the client or is swallowed, and when a server owes nothing any more, which is the only
// moment at which it may be lent again. It sees message types, never bodies, and moves no bytes.
//
// Source of truth: PostgreSQL manual "Message Flow" and src/backend/tcop/postgres.c: what is
// skipped after an error (ignore_till_sync), and what COPY IN ignores (Sync and Flush).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"

namespace pgweir::session {

// What was asked of the server, named after the message. CopyEnd is CopyDone or CopyFail: it has no
// reply of its own, but marks which Syncs COPY IN has ignored.
enum class Request : std::uint8_t {
  Query,
  FunctionCall,
  Parse,
  Bind,
  Describe,
  Execute,
  Close,
  Sync,
  CopyEnd,
};

// For whom the reply is.
enum class Origin : std::uint8_t {
  Client,     // The client asked: forward.
  Ours,       // We asked (parameters, a prepended Parse, a reset): swallow.
  Synthetic,  // Nobody asked the server; the client is owed this reply at this place.
};

// One request whose reply is due. `tag` and `statement` are the owner's: when it was sent, and
// which prepared statement it is about.
struct Expectation {
  Request request = Request::Query;
  Origin origin = Origin::Client;
  std::uint32_t tag = 0;
  std::uint32_t statement = 0;
  bool is_unnamed = false;  // `statement` as the server's unnamed one.
};

class QueryCycle {
 public:
  enum class Fate : std::uint8_t { Forward, Swallow };
  // What one reply meant.
  struct Step {
    Fate fate = Fate::Forward;
    bool is_answered = false;  // `answered` is complete with this reply.
    bool is_failed = false;    // An ErrorResponse: `answered` failed (it may be incomplete still).
    Expectation answered;
  };

  // Notes a request that is being sent, in wire order. A request that the server will skip or
  // ignore (after an error before Sync; a Sync inside COPY IN) is noted as such and expects
  // nothing. Returns whether an answer is expected.
  bool expect(Expectation expectation);

  // Takes one reply's type, and for ReadyForQuery its status. Asynchronous messages (notice,
  // parameter status, notification) are not replies and are not given to it.
  // Errors: ProtocolViolation if no request of ours can have this reply; the server is confused and
  // must be closed.
  base::Result<Step> handle_reply(char type, char status = 'I');

  // The synthetic reply whose turn has come, if one heads the line; it is taken out.
  bool take_synthetic(Expectation& out);

  // Called for every request that an error has skipped, so that bookkeeping made when it was sent
  // can be undone (a Parse that never happened). Valid after a Step with is_failed, until cleared.
  const std::vector<Expectation>& skipped() const { return skipped_; }
  void clear_skipped() { skipped_.clear(); }

  // Nothing is owed.
  bool is_quiet() const { return count_ == 0 && !copies_in_; }
  // As the last ReadyForQuery said: 'I' idle, 'T' in a transaction, 'E' in a failed one.
  char transaction_status() const { return status_; }
  // Nothing owed, no transaction: the server may be lent.
  bool is_idle() const {
    return is_quiet() && status_ == 'I' && !skips_to_sync_ && !has_open_batch_;
  }
  // Nothing that the client has asked is on the way and no transaction is open: what is sent now
  // comes between two of its transactions, behind what we have asked ourselves.
  bool is_between_transactions() const {
    return status_ == 'I' && !copies_in_ && !has_open_batch_ && !owes_client();
  }
  // Extended requests were sent and no Sync since: the server is inside an implicit transaction,
  // even when it has answered all of them (drivers that only Flush).
  bool has_open_batch() const { return has_open_batch_; }
  bool is_copying_in() const { return copies_in_; }
  // After an error, until the next Sync is answered, the server ignores all else.
  bool is_skipping() const { return skips_to_sync_; }
  // A COPY IN failed that a Sync had been sent into: whether the server has ignored that Sync, or
  // read it behind the failure and answers it, is not known. It must not be lent any more.
  bool is_doubtful() const { return is_doubtful_; }
  std::size_t size() const { return count_; }
  // The request whose reply is due next. REQUIRES: size() > 0.
  const Expectation& next() const { return at(0); }
  // Whether the client still waits for anything.
  bool owes_client() const;
  // Makes everything that is still owed ours: the client is gone, its replies are nobody's.
  void disown();
  void reset();

 private:
  const Expectation& at(std::size_t index) const {
    return ring_[(head_ + index) & (ring_.size() - 1)];
  }
  Expectation& at(std::size_t index) { return ring_[(head_ + index) & (ring_.size() - 1)]; }
  void note_batch(Request request);
  void push(Expectation expectation);
  void pop();
  void drop_copy_ends();
  void begin_copy_in();
  bool ends_in_batch() const;
  Step fail(const Expectation& failed);
  void skip_until_sync();
  void remove(std::size_t index);

  std::vector<Expectation> ring_;  // Size is zero or a power of two.
  std::size_t head_ = 0;
  std::size_t count_ = 0;
  std::vector<Expectation> skipped_;
  char status_ = 'I';
  bool copies_in_ = false;  // CopyInResponse seen, the client's CopyDone or CopyFail not yet sent.
  bool skips_to_sync_ = false;  // The server ignores everything until Sync.
  bool has_open_batch_ = false;
  bool has_failed_ = false;     // The request at the head; its ReadyForQuery is due.
  bool has_lost_sync_ = false;  // The COPY IN at the head has a Sync in front of its end.
  bool is_doubtful_ = false;
};

}  // namespace pgweir::session
