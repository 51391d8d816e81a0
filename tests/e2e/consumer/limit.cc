// Says how many connections the library opens here, and what it has found in between.
#include <iostream>
#include <pgweir/database.hpp>

int main() {
  auto& db = pgweir::database();
  db.with_connection([](pgweir::connection& c) { c.query("select 1"); });
  const pgweir::pool_info info = db.info();
  std::cout << info.limit << " behind "
            << (info.pgweir_version.empty() ? "nothing" : info.pgweir_version) << '\n';
  return db.shutdown(std::chrono::seconds(5)).is_complete ? 0 : 1;
}
