// What is asked of libpgweir and of every other library that is measured beside it, in one process
// and over one DATABASE_URL. How each of them does it is in the file of its name; a class there is
// a peer. It is made once for all the questions, with kConnections open connections.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <vector>

namespace pgweir::beside {

inline constexpr int kThreads = 8;
inline constexpr std::size_t kConnections = 2;

inline bool skips(benchmark::State& state) {
  if (std::getenv("DATABASE_URL") != nullptr) return false;
  state.SkipWithError("DATABASE_URL is not set");
  return true;
}

template <class Peer>
Peer& the() {
  static Peer peer;
  return peer;
}

// Borrows a connection and gives it back; nothing is sent.
template <class Peer>
void borrow(benchmark::State& state) {
  if (skips(state)) return;
  Peer& peer = the<Peer>();
  for (auto _ : state) peer.borrow();
}

// `select 1`, and its value.
template <class Peer>
void select_one(benchmark::State& state) {
  if (skips(state)) return;
  Peer& peer = the<Peer>();
  for (auto _ : state) benchmark::DoNotOptimize(peer.select());
}

// `select $1::int4`, and its value.
template <class Peer>
void select_parameter(benchmark::State& state) {
  if (skips(state)) return;
  Peer& peer = the<Peer>();
  int value = 0;
  for (auto _ : state) benchmark::DoNotOptimize(peer.select(++value & 0xff));
}

// The same between begin and commit, over when the commit is answered.
template <class Peer>
void select_in_transaction(benchmark::State& state) {
  if (skips(state)) return;
  Peer& peer = the<Peer>();
  int value = 0;
  for (auto _ : state) benchmark::DoNotOptimize(peer.transact(++value & 0xff));
}

// `select 1` where connections are short, and the 99th percentile of one call: a pool that lets the
// thread go first that is there already saves switches, and others wait for it.
template <class Peer>
void select_crowded(benchmark::State& state) {
  if (skips(state)) return;
  Peer& peer = the<Peer>();
  std::vector<double> times_us;
  for (auto _ : state) {
    const auto began = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(peer.select());
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
    times_us.push_back(took.count());
  }
  if (times_us.empty()) return;
  const auto p99 = times_us.begin() + static_cast<std::ptrdiff_t>(times_us.size() * 99 / 100);
  std::nth_element(times_us.begin(), p99, times_us.end());
  state.counters["p99_us"] = benchmark::Counter(*p99, benchmark::Counter::kAvgThreads);
}

}  // namespace pgweir::beside
