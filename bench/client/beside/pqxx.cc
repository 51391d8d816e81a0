// libpqxx with the pool that a program would write around it: a mutex, a condition variable and a
// stack. It knows no turn, no limit of time, no statistics and no connection that was lost.
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <pqxx/pqxx>
#include <utility>
#include <vector>

#include "beside.h"

namespace pgweir::beside {
namespace {

class HandPool {
 public:
  class Lease {
   public:
    explicit Lease(HandPool& pool) : pool_(pool), connection_(pool.take()) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { pool_.put(std::move(connection_)); }
    pqxx::connection& operator*() { return *connection_; }

   private:
    HandPool& pool_;
    std::unique_ptr<pqxx::connection> connection_;
  };

  explicit HandPool(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      idle_.push_back(std::make_unique<pqxx::connection>(std::getenv("DATABASE_URL")));
    }
  }

 private:
  std::unique_ptr<pqxx::connection> take() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return !idle_.empty(); });
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
  }
  void put(std::unique_ptr<pqxx::connection> connection) {
    {
      const std::lock_guard lock(mutex_);
      idle_.push_back(std::move(connection));
    }
    returned_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<pqxx::connection>> idle_;
};

class Pqxx {
 public:
  void borrow() {
    HandPool::Lease lease(pool_);
    benchmark::DoNotOptimize(&*lease);
  }
  int select() {
    HandPool::Lease lease(pool_);
    return pqxx::nontransaction(*lease).exec1("select 1")[0].as<int>();
  }
  int select(int value) {
    HandPool::Lease lease(pool_);
    return pqxx::nontransaction(*lease).exec_params1("select $1::int4", value)[0].as<int>();
  }
  int transact(int value) {
    HandPool::Lease lease(pool_);
    pqxx::work tx(*lease);
    const int found = tx.exec_params1("select $1::int4", value)[0].as<int>();
    tx.commit();
    return found;
  }

 private:
  HandPool pool_{kConnections};
};

BENCHMARK_TEMPLATE(borrow, Pqxx)->UseRealTime();
BENCHMARK_TEMPLATE(borrow, Pqxx)->Threads(kThreads)->UseRealTime();
BENCHMARK_TEMPLATE(select_one, Pqxx)->UseRealTime();
BENCHMARK_TEMPLATE(select_parameter, Pqxx)->UseRealTime();
BENCHMARK_TEMPLATE(select_in_transaction, Pqxx)->UseRealTime();
BENCHMARK_TEMPLATE(select_crowded, Pqxx)->Threads(kThreads)->UseRealTime();

}  // namespace
}  // namespace pgweir::beside
