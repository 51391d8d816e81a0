// pgweir_load: thousands of clients with mixed work, in one thread. It connects them all, lets them
// work for a time without a pause, and prints what happened as JSON. Judging is for the caller.
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <iostream>
#include <string>
#include <vector>

#include "client.h"

namespace pgweir::load {
namespace {

constexpr Seconds kPatience = 60;  // For connecting, and for the last operations to end.

// Of 20 clients: 6 simple, 5 prepared, 4 transactions, 3 copying and 2 that come and go.
Kind kind_of(std::size_t number) {
  constexpr std::array kOf20{
      Kind::Simple,  Kind::Prepared,    Kind::Transaction, Kind::Copy,     Kind::Simple,
      Kind::Connect, Kind::Prepared,    Kind::Simple,      Kind::Copy,     Kind::Transaction,
      Kind::Simple,  Kind::Prepared,    Kind::Transaction, Kind::Prepared, Kind::Simple,
      Kind::Connect, Kind::Transaction, Kind::Copy,        Kind::Simple,   Kind::Prepared};
  return kOf20[number % kOf20.size()];
}

class Loop {
 public:
  explicit Loop(std::deque<Client>& clients)
      : clients_(clients), watched_(clients.size()), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}
  ~Loop() { close(epoll_); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Watches what the client wants now. Its socket may be another one than before.
  void watch(std::size_t number) {
    const Client& client = clients_[number];
    if (!client.wants_anything() || client.socket() < 0) return;
    epoll_event event{};
    event.events = EPOLLIN | (client.wants_write() ? EPOLLOUT : 0U);
    event.data.u64 = number;
    const bool is_known = watched_[number] == client.socket() &&
                          epoll_ctl(epoll_, EPOLL_CTL_MOD, client.socket(), &event) == 0;
    if (!is_known) epoll_ctl(epoll_, EPOLL_CTL_ADD, client.socket(), &event);
    watched_[number] = client.socket();
  }

  void turn() {
    std::array<epoll_event, 256> events{};
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 20);
    for (int i = 0; i < count; ++i) {
      const std::size_t number = events[static_cast<std::size_t>(i)].data.u64;
      clients_[number].handle_ready();
      watch(number);
    }
  }

 private:
  std::deque<Client>& clients_;
  std::vector<int> watched_;
  int epoll_;
};

void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void run_load(Run& run, std::size_t client_count, Seconds seconds) {
  std::deque<Client> clients;
  for (std::size_t i = 0; i < client_count; ++i) clients.emplace_back(run, kind_of(i));
  Loop loop(clients);
  const auto each = [&](auto&& act) {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      act(clients[i]);
      loop.watch(i);
    }
  };
  const auto is_quiet = [&] {
    return std::none_of(clients.begin(), clients.end(),
                        [](const Client& client) { return client.wants_anything(); });
  };

  run.begin = std::chrono::steady_clock::now();
  each([](Client& client) { client.start(); });
  while (!is_quiet() && run.now() < kPatience) loop.turn();
  run.tally.set_connect_time(run.now());

  run.begin = std::chrono::steady_clock::now();
  run.has_begun = true;
  std::cerr << "begun" << std::endl;  // The test's cue.
  for (Seconds next_look = 0; run.now() < seconds; loop.turn()) {
    if (run.now() < next_look) continue;
    each([](Client& client) { client.begin(); });
    next_look = run.now() + 0.1;
  }

  run.is_over = true;
  each([](Client& client) { client.handle_ready(); });
  while (!is_quiet() && run.now() < seconds + kPatience) loop.turn();
  run.tally.count_stuck(static_cast<std::size_t>(std::count_if(
      clients.begin(), clients.end(), [](const Client& client) { return !client.is_done(); })));
}

int main(int argc, char** argv) {
  CLI::App app("Mixed load of many clients on one PostgreSQL URL");
  Run run;
  std::size_t client_count = 2000;
  Seconds seconds = 30;
  app.add_option("--clients", client_count);
  app.add_option("--seconds", seconds);
  app.add_option("url", run.url)->required();
  CLI11_PARSE(app, argc, argv);
  raise_descriptor_limit();
  run_load(run, client_count, seconds);
  std::cout << run.tally.to_json() << std::endl;
  return 0;
}

}  // namespace
}  // namespace pgweir::load

int main(int argc, char** argv) { return pgweir::load::main(argc, argv); }
