// pgweir_sandwich: measures one pooler with one workload and prints one line of JSON. The pooler
// is running already, with 127.0.0.1:--server-port as its PostgreSQL and `trust` for its clients.
#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "net/clock.h"
#include "net/limits.h"
#include "net/listener.h"
#include "net/reactor.h"
#include "sandwich.h"

namespace pgweir::bench {
namespace {

struct Arguments {
  Plan plan;
  std::uint16_t server_port = 0;
  std::string kind = "simple";
  double seconds = 3;
  double warm_up = 1;
};

base::Duration seconds_of(double seconds) {
  return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(seconds));
}

int run(const Plan& plan, std::uint16_t server_port) {
  auto listener = net::Listener::open_tcp("127.0.0.1", server_port);
  net::ReactorOptions options;
  options.name = "sandwich";
  auto reactor = net::Reactor::create(options);
  if (!listener || !reactor) {
    std::cerr << "pgweir_sandwich: cannot listen on port " << server_port << '\n';
    return 1;
  }
  std::vector<net::Listener> listeners;
  listeners.push_back(std::move(*listener));
  Sandwich sandwich(**reactor, plan);
  (*reactor)->attach(sandwich);
  (*reactor)->listen(std::move(listeners), {});
  sandwich.begin(net::monotonic_now());
  while (!sandwich.is_over()) (*reactor)->turn();
  (*reactor)->stop();
  (*reactor)->run();  // Until what was closed has ended.
  if (sandwich.mistake()) {
    std::cerr << "pgweir_sandwich: " << *sandwich.mistake() << '\n';
    return 1;
  }
  std::cout << sandwich.result() << '\n';
  return 0;
}

int main(int argc, char** argv) {
  Arguments arguments;
  Plan& plan = arguments.plan;
  std::vector<std::string> kinds;
  for (const Kind kind : kKinds) kinds.emplace_back(name_of(kind));
  CLI::App app("Plays the clients of a pooler and the PostgreSQL behind it");
  app.add_option("--pooler-port", plan.pooler.port, "where the pooler listens")->required();
  app.add_option("--server-port", arguments.server_port, "where it finds its PostgreSQL")
      ->required();
  app.add_option("--pid", plan.pooler_pids, "its processes, whose CPU time is counted");
  app.add_option("--workload", arguments.kind)->check(CLI::IsMember(kinds))->capture_default_str();
  app.add_option("--clients", plan.client_count)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--rows", plan.workload.row_count, "of bulk")->capture_default_str();
  app.add_option("--row-bytes", plan.workload.row_bytes, "of bulk")->capture_default_str();
  app.add_option("--seconds", arguments.seconds, "measured")->capture_default_str();
  app.add_option("--warm-up", arguments.warm_up, "seconds before that")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  plan.pooler.address = "127.0.0.1";
  plan.measured = seconds_of(arguments.seconds);
  plan.warm_up = seconds_of(arguments.warm_up);
  for (const Kind kind : kKinds) {
    if (name_of(kind) == arguments.kind) plan.workload.kind = kind;
  }
  net::raise_descriptor_limit();
  return run(plan, arguments.server_port);
}

}  // namespace
}  // namespace pgweir::bench

int main(int argc, char** argv) { return pgweir::bench::main(argc, argv); }
