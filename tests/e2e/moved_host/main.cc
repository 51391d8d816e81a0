// A service of somebody else's that says, for each line of its standard input, the address of the
// server that has answered it. It ends with its standard input.
#include <iostream>
#include <pgweir/pgweir.hpp>
#include <string>

int main() {
  pgweir::database_pool db;
  std::string line;
  while (std::getline(std::cin, line)) {
    auto lease = db.try_acquire();
    if (!lease) {
      std::cout << "error: " << lease.error().text << std::endl;
      continue;
    }
    const auto answer = (*lease)->try_query("select host(inet_server_addr())");
    std::cout << (answer ? answer->one().as<std::string>() : "error: " + answer.error().text)
              << std::endl;
  }
}
