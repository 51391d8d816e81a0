// A program of somebody else's whose coroutines share the library's connections.
#include <iostream>
#include <pgweir/asio.hpp>
#include <pgweir/database.hpp>

#ifdef PGWEIR_ASIO_STANDALONE
namespace asio = ::asio;
#else
namespace asio = boost::asio;
#endif

namespace {

asio::awaitable<void> add(pgweir::database_pool& db, int& sum, int value) {
  pgweir::connection_lease lease = co_await pgweir::async_acquire(db);
  const pgweir::rows rows = co_await pgweir::async_query(*lease, "select $1::int4 * 2", value);
  sum += rows.one().as<int>();
}

}  // namespace

int main() {
  auto& db = pgweir::database();
  asio::io_context context;
  int sum = 0;
  for (int value = 1; value <= 20; ++value) {
    asio::co_spawn(context, add(db, sum, value), asio::detached);
  }
  context.run();
  std::cout << "sum " << sum << '\n';
  return db.shutdown(std::chrono::seconds(5)).is_complete ? 0 : 1;
}
