// A service of somebody else's on cpp-httplib, of which only the health and the metrics are asked.
// It prints its port and ends with its standard input.
#include <prometheus/text_serializer.h>

#include <iostream>
#include <pgweir/contrib/httplib_health.hpp>
#include <pgweir/contrib/prometheus.hpp>
#include <pgweir/pgweir.hpp>
#include <string>
#include <thread>

int main() {
  prometheus::Registry registry;
  const auto metrics = std::make_shared<pgweir::contrib::prometheus_observer>(
      registry, prometheus::Labels{{"database", "shop"}});
  pgweir::database_pool db(pgweir::database_options().observe_by(metrics));
  httplib::Server server;
  pgweir::contrib::mount_health(server, db);
  server.Get("/metrics", [&](const httplib::Request&, httplib::Response& response) {
    metrics->sample(db);
    response.set_content(prometheus::TextSerializer().Serialize(registry.Collect()), "text/plain");
  });
  std::cout << server.bind_to_any_port("127.0.0.1") << std::endl;
  std::jthread serving([&] { server.listen_after_bind(); });
  std::string line;
  while (std::getline(std::cin, line)) continue;
  server.stop();
}
