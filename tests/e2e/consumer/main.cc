// A program of somebody else's that uses the library as it is installed.
#include <iostream>
#include <pgweir/pgweir.hpp>

int main() {
  auto& db = pgweir::database();
  try {
    const auto sum = db.transaction([](pgweir::transaction& tx) {
      return tx.query("select $1::int4 + $2", 40, 2).one().as<int>();
    });
    std::cout << "sum " << sum << '\n';
    static_cast<void>(
        db.with_connection([](pgweir::connection& c) { return c.query("select no_such_column"); }));
  } catch (const pgweir::server_error& refused) {
    // Thrown in the library and caught here, by its own type.
    std::cout << "refused " << refused.sqlstate().text() << '\n';
  }
  return db.shutdown(std::chrono::seconds(5)).is_complete ? 0 : 1;
}
