// A program of somebody else's that has libpqxx work on the library's connections.
#include <iostream>
#include <pgweir/database.hpp>
#include <pgweir/interop/pqxx.hpp>

int main() {
  auto& db = pgweir::database();
  try {
    pgweir::pqxx_lease lease(db.acquire());
    pqxx::work tx{lease.pqxx()};
    std::cout << "sum " << tx.exec("select 40 + 2")[0][0].as<int>() << '\n';
    tx.commit();
    tx.exec("select 1");
  } catch (const pqxx::usage_error&) {
    std::cout << "over\n";
  }
  return db.shutdown(std::chrono::seconds(5)).is_complete ? 0 : 1;
}
