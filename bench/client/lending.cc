// What it costs to borrow and give back, without a PostgreSQL: the library's SharedPool beside a
// bare pool, a mutex with a stack behind it, which knows no fairness, no limit and no statistics.
//
//   build/release/pgweir_client_bench --benchmark_repetitions=9
#include <benchmark/benchmark.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "client/shared_pool.h"

namespace pgweir::client {
namespace {

// Nobody needs a connection here: a server is open when that is asked for.
class NoHost final : public Host {
 public:
  void open(Server& server) override { opening_.push_back(&server); }
  void close(Server& server) override { closing_.push_back(&server); }

  void serve(SharedPool& pool) {
    for (Server* server : std::exchange(opening_, {})) pool.handle_opened(*server);
    for (Server* server : std::exchange(closing_, {})) pool.handle_ended(*server);
  }

 private:
  std::vector<Server*> opening_;
  std::vector<Server*> closing_;
};

class OpenPool {
 public:
  explicit OpenPool(std::uint32_t count) : pool_(options(count), 1, host_) {
    std::vector<Server*> servers;
    for (std::uint32_t i = 0; i < count; ++i) {
      // The deadline has passed: it opens one and does not wait.
      const Grant none = pool_.acquire({.where = {}, .deadline = base::Instant{}});
      if (none.server != nullptr) servers.push_back(none.server);
      host_.serve(pool_);
      servers.push_back(pool_.acquire_if_idle({}));
    }
    for (Server* server : servers) {
      if (server != nullptr) pool_.release(*server);
    }
  }
  ~OpenPool() {
    pool_.close();
    host_.serve(pool_);
  }
  SharedPool& operator*() { return pool_; }

 private:
  static SharedPoolOptions options(std::uint32_t count) {
    SharedPoolOptions options;
    options.pool.server_count_max = count;
    return options;
  }
  NoHost host_;
  SharedPool pool_;
};

class BarePool {
 public:
  explicit BarePool(std::uint32_t count) : idle_(count) {}
  int acquire() {
    std::unique_lock lock(mutex_);
    released_.wait(lock, [this] { return !idle_.empty(); });
    const int one = idle_.back();
    idle_.pop_back();
    return one;
  }
  void release(int one) {
    {
      const std::lock_guard lock(mutex_);
      idle_.push_back(one);
    }
    released_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable released_;
  std::vector<int> idle_;
};

void bare_uncontended(benchmark::State& state) {
  BarePool pool(4);
  for (auto _ : state) pool.release(pool.acquire());
}
BENCHMARK(bare_uncontended);

void shared_uncontended(benchmark::State& state) {
  OpenPool pool(4);
  for (auto _ : state) {
    Server* server = (*pool).acquire_if_idle({.where = code_location::current(), .tag = "bench"});
    (*pool).release(*server);
  }
}
BENCHMARK(shared_uncontended);

void bare_contended(benchmark::State& state) {
  static BarePool pool(2);
  for (auto _ : state) pool.release(pool.acquire());
}
BENCHMARK(bare_contended)->Threads(8)->UseRealTime();

void shared_contended(benchmark::State& state) {
  static OpenPool pool(2);
  for (auto _ : state) {
    const Grant grant = (*pool).acquire({.where = code_location::current(), .tag = "bench"});
    (*pool).release(*grant.server);
  }
}
BENCHMARK(shared_contended)->Threads(8)->UseRealTime();

}  // namespace
}  // namespace pgweir::client

BENCHMARK_MAIN();
