// drogon's DbClient, by its calls that wait for the answer. It lends no connection: statements go
// to an event loop of its own, which prepares each text once and may send one before another on the
// same connection has been answered.
#include <drogon/orm/DbClient.h>

#include <chrono>
#include <cstdlib>
#include <future>
#include <memory>
#include <thread>

#include "beside.h"

namespace pgweir::beside {
namespace {

class Drogon {
 public:
  Drogon() {
    while (!client_->hasAvailableConnections()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  int select() { return client_->execSqlSync("select 1")[0][0].as<int>(); }
  int select(int value) { return client_->execSqlSync("select $1::int4", value)[0][0].as<int>(); }
  int transact(int value) {
    std::promise<bool> committed;
    auto tx = client_->newTransaction(
        [&committed](bool is_committed) { committed.set_value(is_committed); });
    const int found = tx->execSqlSync("select $1::int4", value)[0][0].as<int>();
    tx.reset();  // Which commits.
    return committed.get_future().get() ? found : -1;
  }

 private:
  std::shared_ptr<drogon::orm::DbClient> client_ =
      drogon::orm::DbClient::newPgClient(std::getenv("DATABASE_URL"), kConnections);
};

BENCHMARK_TEMPLATE(select_one, Drogon)->UseRealTime();
BENCHMARK_TEMPLATE(select_parameter, Drogon)->UseRealTime();
BENCHMARK_TEMPLATE(select_in_transaction, Drogon)->UseRealTime();
BENCHMARK_TEMPLATE(select_crowded, Drogon)->Threads(kThreads)->UseRealTime();

}  // namespace
}  // namespace pgweir::beside
