// libpgweir itself, and the program. The others are there if CMake has found them: libpqxx with a
// pool as a program would write it, and taopq and drogon with their own (CMakeLists.txt).
//
//   DATABASE_URL=postgresql://… build/release/pgweir_client_beside --benchmark_repetitions=25
//
// with --benchmark_enable_random_interleaving=true, so that a ratio is one of neighbours in time.
#include "pgweir/pgweir.hpp"

#include <string>

#include "beside.h"

namespace pgweir::beside {
namespace {

class Pgweir {
 public:
  Pgweir() {
    const connection_lease first = pool_.acquire();  // Two at a time, so that both are open.
    const connection_lease second = pool_.acquire();
  }

  void borrow() {
    connection_lease lease = pool_.acquire();
    benchmark::DoNotOptimize(lease);
  }
  int select() {
    return pool_.with_connection([](connection& c) { return c.query_one<int>("select 1"); });
  }
  int select(int value) {
    return pool_.with_connection(
        [value](connection& c) { return c.query_one<int>("select $1::int4", value); });
  }
  int transact(int value) {
    return pool_.transaction(
        [value](transaction& tx) { return tx.query_one<int>("select $1::int4", value); });
  }
  int transact_at_once(int value) {
    return pool_.transaction([value](transaction& tx) {
      return tx.query_and_commit("select $1::int4", value).one().as<int>();
    });
  }

 private:
  database_pool pool_{database_options().set("connection_limit", std::to_string(kConnections))};
};

// Begin, statement and commit in one round trip, which no other does in one call.
void select_and_commit(benchmark::State& state) {
  if (skips(state)) return;
  auto& pgweir = the<Pgweir>();
  int value = 0;
  for (auto _ : state) benchmark::DoNotOptimize(pgweir.transact_at_once(++value & 0xff));
}

BENCHMARK_TEMPLATE(borrow, Pgweir)->UseRealTime();
BENCHMARK_TEMPLATE(borrow, Pgweir)->Threads(kThreads)->UseRealTime();
BENCHMARK_TEMPLATE(select_one, Pgweir)->UseRealTime();
BENCHMARK_TEMPLATE(select_parameter, Pgweir)->UseRealTime();
BENCHMARK_TEMPLATE(select_in_transaction, Pgweir)->UseRealTime();
BENCHMARK(select_and_commit)->UseRealTime();
BENCHMARK_TEMPLATE(select_crowded, Pgweir)->Threads(kThreads)->UseRealTime();

}  // namespace
}  // namespace pgweir::beside

BENCHMARK_MAIN();
