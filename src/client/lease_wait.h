// LeaseWait: somebody wants a server, and no thread waits for it: an event loop is told when it is
// there. What Database::acquire() does in one call it does in pieces, each by whichever thread has
// the news.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "base/time.h"
#include "client/database.h"
#include "client/shared_pool.h"
#include "pgweir/result.hpp"

namespace pgweir::client {

// Any thread may call anything.
class LeaseWait final : public Callee {
 public:
  // Joins the line, unless a server is to be had at once.
  static std::shared_ptr<LeaseWait> begin(std::shared_ptr<Database> database, Request request);

  bool is_over() const;
  // Calls it once the wait is over, from whichever thread. False: it is over, and it is not called.
  bool on_over(std::function<void()> call);
  // By when the caller is to give up, by the precise clock. Nothing here looks at it.
  base::Instant deadline() const { return own_request().deadline; }
  // It is over soon, with that error, unless it was over before.
  void give_up(Denial why);
  // The caller gives it back. REQUIRES: is_over(); once.
  result<Server*> take();
  // Nobody takes it: what is had, or will be, is given back.
  void forget();

  LeaseWait(std::shared_ptr<Database> database, Request request);

 private:
  void handle_grant(const Grant& grant) override;
  void seek();
  bool is_to_go_on_after(Server& server);
  void end(result<Server*> outcome);

  const std::shared_ptr<Database> database_;
  const base::Instant since_;

  mutable std::mutex mutex_;
  std::optional<result<Server*>> outcome_;
  std::function<void()> call_;
  bool is_forgotten_ = false;
};

}  // namespace pgweir::client
