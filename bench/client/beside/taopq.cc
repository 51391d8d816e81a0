// taopq and its connection_pool. The pool opens one more connection whenever none is idle, and asks
// of one that it lends and that it gets back, by libpq's word and without a round trip, whether it
// is idle. For several threads a semaphore in front keeps it to kConnections, as a program would.
#include <cstdlib>
#include <memory>
#include <semaphore>
#include <tao/pq.hpp>

#include "beside.h"

namespace pgweir::beside {
namespace {

namespace pq = tao::pq;

class Taopq {
 public:
  Taopq() {
    const auto first = pool_->connection();  // Two at a time, so that both are open.
    const auto second = pool_->connection();
  }

  void borrow() { benchmark::DoNotOptimize(pool_->connection().get()); }
  int select() { return pool_->connection()->direct()->execute("select 1").as<int>(); }
  int select(int value) {
    return pool_->connection()->direct()->execute("select $1::int4", value).as<int>();
  }
  int transact(int value) {
    const auto tx = pool_->connection()->transaction();
    const int found = tx->execute("select $1::int4", value).as<int>();
    tx->commit();
    return found;
  }

 private:
  std::shared_ptr<pq::connection_pool> pool_ =
      pq::connection_pool::create(std::getenv("DATABASE_URL"));
};

class TaopqBounded {
 public:
  void borrow() {
    const Turn turn(turns_);
    taopq_.borrow();
  }
  int select() {
    const Turn turn(turns_);
    return taopq_.select();
  }

 private:
  using Turns = std::counting_semaphore<>;

  class Turn {
   public:
    explicit Turn(Turns& turns) : turns_(turns) { turns_.acquire(); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() { turns_.release(); }

   private:
    Turns& turns_;
  };

  Taopq taopq_;
  Turns turns_{kConnections};
};

BENCHMARK_TEMPLATE(borrow, Taopq)->UseRealTime();
BENCHMARK_TEMPLATE(borrow, TaopqBounded)->Threads(kThreads)->UseRealTime();
BENCHMARK_TEMPLATE(select_one, Taopq)->UseRealTime();
BENCHMARK_TEMPLATE(select_parameter, Taopq)->UseRealTime();
BENCHMARK_TEMPLATE(select_in_transaction, Taopq)->UseRealTime();
BENCHMARK_TEMPLATE(select_crowded, TaopqBounded)->Threads(kThreads)->UseRealTime();

}  // namespace
}  // namespace pgweir::beside
