// pgweir_sandwich: measures one pooler with one workload and prints one line of JSON. The pooler
// is running already, or waited for, with 127.0.0.1:--server-port as its PostgreSQL; it trusts its
// clients, or asks for their --password by SCRAM.
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "catalog.h"
#include "net/clock.h"
#include "net/limits.h"
#include "net/listener.h"
#include "net/reactor.h"
#include "net/tls_context.h"
#include "sandwich.h"

namespace pgweir::bench {
namespace {

struct Arguments {
  Plan plan;
  std::uint16_t server_port = 0;
  std::string workload = "simple";
  double seconds = 3;
  double warm_up = 1;
  double login_delay_ms = 0;
  double service_ms = 0;
  std::uint16_t conductor_port = 0;
  bool has_to_wait = false;
  bool has_tls = false;
  net::ServerTlsOptions server_tls;
};

base::Duration seconds_of(double seconds) {
  return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(seconds));
}

int complain(const std::string& what) {
  std::cerr << "pgweir_sandwich: " << what << '\n';
  return 1;
}

constexpr base::Duration kLookAgain = std::chrono::milliseconds(5);

bool has_input() {
  pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  return ::poll(&input, 1, 0) > 0;
}

// Plays PostgreSQL alone for a pooler that is about to be started, until its pids are told.
void wait_for_pooler(net::Reactor& reactor, Sandwich& sandwich, std::vector<int>& pids) {
  std::cout << "listening" << std::endl;
  const Agenda::Task nothing = [](base::Instant) {};
  while (!has_input()) {
    sandwich.do_at(net::monotonic_now() + kLookAgain, nothing);
    reactor.turn();
  }
  for (int pid = 0; std::cin >> pid;) pids.push_back(pid);
}

// One version, so that poolers cannot differ in that. It believes every certificate.
base::Result<std::shared_ptr<const net::TlsContext>> make_tls() {
  net::ClientTlsOptions options;
  options.limits.version_min = net::TlsVersion::Tls13;
  return net::TlsContext::for_servers(options);
}

// PostgreSQL's side of it.
base::Status offer_tls(net::Reactor& reactor, Arguments& arguments) {
  if (arguments.server_tls.certificate_file.empty()) return base::success();
  arguments.server_tls.limits.version_min = net::TlsVersion::Tls13;
  reactor.set_tls(TRY(net::TlsContext::for_clients(arguments.server_tls)));
  arguments.plan.server_has_tls = true;
  return base::success();
}

int run(Arguments& arguments) {
  auto listener = net::Listener::open_tcp("127.0.0.1", arguments.server_port);
  net::ReactorOptions options;
  options.name = "sandwich";
  options.receive_bytes = arguments.plan.receive_bytes;
  auto reactor = net::Reactor::create(options);
  if (!listener || !reactor) {
    return complain("cannot listen on port " + std::to_string(arguments.server_port));
  }
  if (arguments.has_tls) {
    auto tls = make_tls();
    if (!tls) return complain(tls.error().context);
    arguments.plan.tls = std::move(*tls);
  }
  if (const auto offered = offer_tls(**reactor, arguments); !offered) {
    return complain(offered.error().context);
  }
  std::vector<net::Listener> listeners;
  listeners.push_back(std::move(*listener));
  Sandwich sandwich(**reactor, arguments.plan);
  const auto scenario = make_scenario(arguments.workload, arguments.plan, sandwich);
  (*reactor)->attach(sandwich);
  (*reactor)->listen(std::move(listeners), {});
  if (arguments.has_to_wait) wait_for_pooler(**reactor, sandwich, arguments.plan.pooler_pids);
  sandwich.begin(*scenario, net::monotonic_now());
  while (!sandwich.is_over()) (*reactor)->turn();
  (*reactor)->stop();
  (*reactor)->run();  // Until what was closed has ended.
  if (sandwich.mistake()) return complain(*sandwich.mistake());
  if (arguments.plan.conductor) return 0;
  nlohmann::ordered_json json;
  for (const auto& [name, value] : scenario->result()) json[name] = value;
  std::cout << json.dump() << '\n';
  return 0;
}

int main(int argc, char** argv) {
  Arguments arguments;
  Plan& plan = arguments.plan;
  CLI::App app("Plays the clients of a pooler and the PostgreSQL behind it");
  // What a workload is given by bench/compare may be overruled.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--pooler-port", plan.pooler.port, "where the pooler listens")->required();
  app.add_option("--server-port", arguments.server_port, "where it finds its PostgreSQL")
      ->required();
  app.add_option("--pid", plan.pooler_pids, "its processes, whose CPU time is counted")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--workload", arguments.workload)
      ->check(CLI::IsMember(workload_names()))
      ->capture_default_str();
  app.add_option("--clients", plan.client_count)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--clients-per-database", plan.clients_per_database,
                 "as many databases as that takes; 0: one");
  app.add_option("--receive-bytes", plan.receive_bytes, "that are read from a socket at a time")
      ->capture_default_str();
  app.add_option("--rate", plan.requests_per_second, "of all clients together, where it is fixed")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--rows", plan.workload.row_count, "of bulk and COPY")->capture_default_str();
  app.add_option("--row-bytes", plan.workload.row_bytes, "of bulk and COPY")->capture_default_str();
  app.add_option("--seconds", arguments.seconds, "measured")->capture_default_str();
  app.add_option("--warm-up", arguments.warm_up, "seconds before that")->capture_default_str();
  app.add_option("--servers", plan.server_count, "that the pooler may have")->capture_default_str();
  app.add_option("--login-delay-ms", arguments.login_delay_ms, "of the servers");
  app.add_option("--service-ms", arguments.service_ms, "what a request takes a server");
  app.add_option("--conductor-port", arguments.conductor_port,
                 "works by laps, as whoever listens there says, and measures nothing");
  app.add_flag("--wait", arguments.has_to_wait,
               "the pooler is not running yet: its pids come on standard input once it is");
  app.add_flag("--tls", arguments.has_tls, "the clients speak TLS 1.3");
  app.add_option("--server-certificate", arguments.server_tls.certificate_file,
                 "PostgreSQL speaks TLS 1.3, too, with the pooler that asks for it");
  app.add_option("--server-key", arguments.server_tls.key_file, "of that certificate");
  app.add_option("--password", plan.password, "of the clients");
  CLI11_PARSE(app, argc, argv);
  plan.pooler.address = "127.0.0.1";
  if (arguments.conductor_port != 0) {
    plan.conductor = {.address = "127.0.0.1", .port = arguments.conductor_port, .host = {}};
  }
  plan.measured = seconds_of(arguments.seconds);
  plan.warm_up = seconds_of(arguments.warm_up);
  plan.login_delay = seconds_of(arguments.login_delay_ms / 1e3);
  plan.service_time = seconds_of(arguments.service_ms / 1e3);
  set_defaults(arguments.workload, plan);
  net::raise_descriptor_limit();
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // What is due in an open loop is not put off by 50 µs.
  return run(arguments);
}

}  // namespace
}  // namespace pgweir::bench

int main(int argc, char** argv) { return pgweir::bench::main(argc, argv); }
