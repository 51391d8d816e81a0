#include "client/recovery.h"

#include <utility>
#include <vector>

#include "client/cancelling.h"
#include "client/conversation.h"

namespace pgweir::client {
namespace {

constexpr base::Duration kPatience = std::chrono::seconds(2);

// Lives as long as the loop watches for it, or its timer is set.
class Recovery : public std::enable_shared_from_this<Recovery> {
 public:
  Recovery(std::shared_ptr<loop::Loop> loop, const LeftServer& server,
           std::function<void(bool)> done)
      : loop_(std::move(loop)),
        connection_(server.connection),
        is_touched_(server.is_touched),
        session_(server.session),
        done_(std::move(done)) {}

  void begin(BlockingWork& work) {
    timer_ = loop_->call_after(kPatience, [self = shared_from_this()] {
      self->timer_ = loop::TimerId::None;
      self->finish();
    });
    if (PQtransactionStatus(connection_) == PQTRANS_ACTIVE) begin_cancelling(work);
    step();
  }

 private:
  // Whose thread it is on may outlive the pool: it holds the loop, and this.
  void begin_cancelling(BlockingWork& work) {
    is_cancelling_ = true;
    cancel(work, connection_, [loop = loop_, self = shared_from_this()] {
      loop->post([self] {
        self->is_cancelling_ = false;
        if (self->is_waiting_for_cancel_) self->finish();
      });
    });
  }

  // One thing after the other, until it is clean or nothing helps.
  void step() {
    while (true) {
      PQflush(connection_);
      if (PQstatus(connection_) == CONNECTION_BAD) return finish();
      if (PQtransactionStatus(connection_) == PQTRANS_ACTIVE || has_sent_) {
        if (!read_results()) return watch();
        has_sent_ = false;
        continue;
      }
      if (PQpipelineStatus(connection_) != PQ_PIPELINE_OFF) {
        if (PQexitPipelineMode(connection_) != 1) return finish();
        continue;
      }
      if (PQtransactionStatus(connection_) != PQTRANS_IDLE) {
        if (std::exchange(has_rolled_back_, true)) return finish();
        send("ROLLBACK");
        continue;
      }
      if (std::exchange(is_touched_, false)) {
        PQsetnonblocking(connection_, 1);
        send("DISCARD ALL");
        has_discarded_ = true;
        continue;
      }
      if (std::exchange(has_discarded_, false)) restored_ = session_.statements_for(connection_);
      if (restored_.empty()) return finish();
      restore(restored_.front());
      restored_.erase(restored_.begin());
    }
  }

  void send(const char* statement) {
    PQsendQuery(connection_, statement);
    has_sent_ = true;
  }

  // It has no text but its own and text parameters.
  void restore(const Statement& statement) {
    PQsendQueryParams(connection_, statement.text, static_cast<int>(statement.values.size()),
                      nullptr, statement.values.data(), nullptr, nullptr, 0);
    has_sent_ = true;
  }

  // Whether all that was under way has come to its end.
  bool read_results() {
    while (PQisBusy(connection_) == 0) {
      const Result result(PQgetResult(connection_));
      if (PQstatus(connection_) == CONNECTION_BAD) return true;
      if (!result) {
        // In a pipeline only a sync ends it.
        if (PQpipelineStatus(connection_) == PQ_PIPELINE_OFF || was_null_) return true;
        was_null_ = true;
        continue;
      }
      was_null_ = false;
      const ExecStatusType status = PQresultStatus(result.get());
      if (status == PGRES_PIPELINE_SYNC) return true;
      if (status == PGRES_FATAL_ERROR && has_sent_) was_refused_ = true;
      if (status == PGRES_COPY_IN) PQputCopyEnd(connection_, "the lease is over");
      if (status == PGRES_COPY_OUT && !drop_copy()) return false;
    }
    return false;
  }

  // Whether the server has sent the last of it.
  bool drop_copy() {
    char* row = nullptr;
    int length = 0;
    while ((length = PQgetCopyData(connection_, &row, 1)) > 0) PQfreemem(row);
    return length == -1;
  }

  void watch() {
    descriptor_ = PQsocket(connection_);
    loop_->watch(descriptor_, {.read = true, .write = PQflush(connection_) == 1},
                 [self = shared_from_this()](loop::Interest) {
                   self->unwatch();
                   // Lost: the next look sees it.
                   PQconsumeInput(self->connection_);
                   self->step();
                 });
  }

  void unwatch() {
    if (descriptor_ >= 0) loop_->forget(std::exchange(descriptor_, -1));
  }

  // A cancel that is still on its way might hit the next lease.
  void finish() {
    if (is_finished_) return;
    unwatch();
    const bool is_in_time = timer_ != loop::TimerId::None;
    if (is_cancelling_ && is_in_time) {
      is_waiting_for_cancel_ = true;
      return;
    }
    is_finished_ = true;
    // Who has said nothing for so long is not waited for at the good-bye, either.
    if (!is_in_time) cut_off(connection_);
    const auto self = shared_from_this();
    loop_->cancel(std::exchange(timer_, loop::TimerId::None));
    done_(is_clean(connection_) && !is_touched_ && !has_sent_ && !was_refused_ && !is_cancelling_);
  }

  const std::shared_ptr<loop::Loop> loop_;
  PGconn* const connection_;
  bool is_touched_;
  const SessionSettings& session_;
  const std::function<void(bool)> done_;
  bool has_sent_ = false;     // A statement of ours is under way …
  bool was_refused_ = false;  // … or was in vain.
  bool has_rolled_back_ = false;
  bool has_discarded_ = false;       // All that the session had …
  std::vector<Statement> restored_;  // … and this is still to be said.
  bool was_null_ = false;
  bool is_cancelling_ = false;
  bool is_waiting_for_cancel_ = false;
  bool is_finished_ = false;
  int descriptor_ = -1;
  loop::TimerId timer_ = loop::TimerId::None;
};

}  // namespace

bool is_clean(const PGconn* connection) {
  return PQtransactionStatus(connection) == PQTRANS_IDLE &&
         PQpipelineStatus(connection) == PQ_PIPELINE_OFF;
}

void recover(const std::shared_ptr<loop::Loop>& loop, BlockingWork& work, const LeftServer& server,
             std::function<void(bool is_clean)> done) {
  std::make_shared<Recovery>(loop, server, std::move(done))->begin(work);
}

}  // namespace pgweir::client
