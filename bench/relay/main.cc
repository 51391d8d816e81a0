// pgweir_relay: runs a bench::Relay until it is told to end by a signal.
#include <CLI/CLI.hpp>
#include <iostream>

#include "net/limits.h"
#include "net/listener.h"
#include "net/poller.h"
#include "relay.h"

int main(int argc, char** argv) {
  using namespace pgweir;
  std::uint16_t port = 0;
  std::uint16_t server_port = 0;
  CLI::App app("Moves bytes between clients and servers and does nothing else");
  app.add_option("--port", port, "where clients connect")->required();
  app.add_option("--server-port", server_port, "where the servers are")->required();
  CLI11_PARSE(app, argc, argv);
  net::raise_descriptor_limit();
  auto listener = net::Listener::open_tcp("127.0.0.1", port);
  auto poller = net::Poller::create();
  if (!listener || !poller) {
    std::cerr << "pgweir_relay: cannot listen on port " << port << '\n';
    return 1;
  }
  bench::Relay relay(std::move(*listener), std::move(*poller), server_port);
  while (true) relay.turn();
}
