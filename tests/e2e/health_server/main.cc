// A service of somebody else's on cpp-httplib, of which only the health is asked. It prints its
// port and ends with its standard input.
#include <iostream>
#include <pgweir/contrib/httplib_health.hpp>
#include <pgweir/pgweir.hpp>
#include <string>
#include <thread>

int main() {
  httplib::Server server;
  pgweir::contrib::mount_health(server, pgweir::database());
  std::cout << server.bind_to_any_port("127.0.0.1") << std::endl;
  std::jthread serving([&] { server.listen_after_bind(); });
  std::string line;
  while (std::getline(std::cin, line)) continue;
  server.stop();
}
