#include "mistakes.h"

#include <atomic>
#include <cstdio>
#include <list>
#include <mutex>
#include <pgweir/pgweir.hpp>
#include <string>
#include <utility>

#include "routes.h"

namespace clinic {
namespace {

// Each of them opens connections of its own and says good-bye to them: event=second_pool.
std::string make_a_pool_per_request() {
  pgweir::database_pool pool;
  return pool.with_connection(
      [](pgweir::connection& c) { return c.query_one<std::string>("select now()::text"); });
}

// Today it is 24,000 rows, next year it is the memory: event=many_rows.
std::string ask_without_a_bound() {
  const pgweir::rows all = pgweir::database().with_connection(
      [](pgweir::connection& c) { return c.query("select * from appointments"); });
  return std::to_string(all.size());
}

// What nobody ends keeps its connection, its locks, and vacuum from its work: event=lease_overdue.
std::string forget_a_transaction() {
  struct Forgotten {
    explicit Forgotten(pgweir::connection_lease had) : lease(std::move(had)), tx(*lease) {}
    pgweir::connection_lease lease;
    pgweir::transaction tx;
  };
  static std::mutex mutex;
  static std::list<Forgotten> forgotten;
  const std::lock_guard<std::mutex> lock(mutex);
  Forgotten& one = forgotten.emplace_back(pgweir::database().acquire());
  return one.tx.query_one<std::string>("select txid_current()::text");
}

std::string make_the_next_mistake() {
  static std::atomic<unsigned> turn = 0;
  switch (turn++ % 3) {
    case 0: return make_a_pool_per_request();
    case 1: return ask_without_a_bound();
    default: return forget_a_transaction();
  }
}

}  // namespace

Response respond_badly(const Request& request) {
  try {
    return make_response(request, 200, "{\"answer\":\"" + make_the_next_mistake() + "\"}");
  } catch (const pgweir::error& failed) {
    std::fprintf(stderr, "clinic: %s\n", failed.what());
    return make_response(request, 500, "{\"error\":\"see the log\"}");
  }
}

}  // namespace clinic
