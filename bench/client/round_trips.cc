// What the library adds to a round trip to PostgreSQL, and what it takes away from a transaction:
// beside libpq by hand.
//
//   DATABASE_URL=postgresql://… build/release/pgweir_client_round_trips --benchmark_repetitions=9
#include <benchmark/benchmark.h>
#include <libpq-fe.h>

#include <cstdlib>
#include <memory>

#include "pgweir/pgweir.hpp"

namespace pgweir {
namespace {

class ByHand {
 public:
  ByHand() : connection_(PQconnectdb(std::getenv("DATABASE_URL")), PQfinish) {}
  bool is_there() const { return PQstatus(connection_.get()) == CONNECTION_OK; }
  void run(const char* statement) {
    PQclear(PQexecParams(connection_.get(), statement, 0, nullptr, nullptr, nullptr, nullptr, 0));
  }

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

bool skips(benchmark::State& state) {
  if (std::getenv("DATABASE_URL") != nullptr) return false;
  state.SkipWithError("DATABASE_URL is not set");
  return true;
}

void select_by_hand(benchmark::State& state) {
  if (skips(state)) return;
  ByHand libpq;
  for (auto _ : state) libpq.run("select 1");
}
BENCHMARK(select_by_hand)->UseRealTime();

void select_with_connection(benchmark::State& state) {
  if (skips(state)) return;
  for (auto _ : state) {
    database().with_connection([](connection& c) { c.query("select 1"); });
  }
}
BENCHMARK(select_with_connection)->UseRealTime();

void transaction_by_hand(benchmark::State& state) {
  if (skips(state)) return;
  ByHand libpq;
  for (auto _ : state) {
    libpq.run("begin");
    libpq.run("select 1");
    libpq.run("commit");
  }
}
BENCHMARK(transaction_by_hand)->UseRealTime();

void transaction_of_two_trips(benchmark::State& state) {
  if (skips(state)) return;
  for (auto _ : state) database().transaction([](transaction& tx) { tx.query("select 1"); });
}
BENCHMARK(transaction_of_two_trips)->UseRealTime();

void transaction_of_one_trip(benchmark::State& state) {
  if (skips(state)) return;
  for (auto _ : state) {
    database().transaction([](transaction& tx) { tx.query_and_commit("select 1"); });
  }
}
BENCHMARK(transaction_of_one_trip)->UseRealTime();

}  // namespace
}  // namespace pgweir

BENCHMARK_MAIN();
