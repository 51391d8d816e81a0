// Resolver: host names → addresses, through c-ares and therefore never blocking. It remembers
// answers for their TTL, at most `ttl_max`, and tells followers when the addresses of a name have
// changed. It connects to nothing and does not look at service (SRV) records. One loop, one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "loop/loop.h"

struct ares_channeldata;
struct ares_addrinfo;

namespace pgweir::control {

struct ResolverOptions {
  base::Duration ttl_max = std::chrono::seconds(15);     // Setting dns_max_ttl.
  base::Duration ttl_min = std::chrono::seconds(1);      // A TTL of 0 must not make a busy loop.
  base::Duration failure_ttl = std::chrono::seconds(1);  // How long "not found" is remembered.
  base::Duration timeout = std::chrono::seconds(2);      // Of one try at one name server.
  int tries = 2;
  std::string resolv_conf = {};   // A file in place of /etc/resolv.conf.
  std::string name_servers = {};  // "127.0.0.1:5353,…"; empty: those of resolv.conf.
};

class Resolver {
 public:
  // Addresses in the order of the answer, save that those which this machine has no route to come
  // last (RFC 6724), as with getaddrinfo.
  using Addresses = std::vector<std::string>;
  using Done = std::function<void(const base::Result<Addresses>&)>;
  using Changed = std::function<void(const base::Result<Addresses>&)>;

  // loop: outlives the resolver. Errors: System, when c-ares cannot start.
  static base::Result<std::unique_ptr<Resolver>> create(loop::Loop& loop, ResolverOptions options);
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  // Forgets whoever still waits, without calling them.
  ~Resolver();

  // Calls `done` with the addresses of `host`: at once when they are known or when `host` is an IP
  // address or the path of a Unix socket (which are returned as they are), else when the answer
  // comes. While name servers are silent, the last known addresses serve on.
  // Errors: Unreachable, saying which name was not found and what to check.
  void resolve(const std::string& host, const Done& done);

  // Keeps `host` resolved from now on, and calls `changed` with each set of addresses that differs
  // from the one before, the first included. A literal is told once. As long as no address was
  // found, it is called with the reason, and again when that changes.
  void follow(const std::string& host, Changed changed);

 private:
  struct Entry {
    base::Result<Addresses> answer = Addresses{};
    base::Instant fresh_until = base::Instant::min();
    bool is_asking = false;
    std::vector<Done> waiting;
    std::vector<Changed> followers;
    Addresses told;                               // Sorted: what the followers know.
    std::string told_problem;                     // Why they know none.
    loop::TimerId refresh = loop::TimerId::None;  // Only while there are followers.
  };
  struct Query;

  Resolver(loop::Loop& loop, ResolverOptions options);
  void ask(const std::string& host, Entry& entry);
  void handle_answer(const std::string& host, int status, const ares_addrinfo* found);
  void remember(Entry& entry, const std::string& host, int status, const ares_addrinfo* found);
  void tell_followers(const std::string& host, Entry& entry);
  static bool is_known_to_followers(Entry& entry);
  void watch_socket(int descriptor, bool read, bool write);
  void arm_timeout();

  loop::Loop& loop_;
  const ResolverOptions options_;
  ares_channeldata* channel_ = nullptr;
  loop::TimerId timeout_ = loop::TimerId::None;
  std::vector<int> sockets_;
  std::unordered_map<std::string, Entry> entries_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// Whether `host` needs no resolving: an IP address, or a Unix socket's path ("/…" or "@…").
bool is_address(std::string_view host);

}  // namespace pgweir::control
