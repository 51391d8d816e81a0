#include "control/resolver.h"

#include <ares.h>
#include <arpa/inet.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace pgweir::control {

namespace {

base::Error unreachable(std::string text) {
  return {base::ErrorCode::Unreachable, base::Side::Server, base::Retry::BeforeFirstByteSent,
          std::move(text)};
}

base::Error unreadable(const std::string& resolv_conf) {
  return {base::ErrorCode::Configuration, base::Side::Self, base::Retry::Never,
          "cannot read resolv_conf \"" + resolv_conf + "\": " + std::strerror(errno)};
}

base::Error explain(const std::string& host, int status) {
  if (status == ARES_ENOTFOUND || status == ARES_ENODATA)
    return unreachable("the host name \"" + host + "\" does not exist");
  return unreachable("the host name \"" + host + "\" could not be resolved (" +
                     ares_strerror(status) + "); check the name servers in /etc/resolv.conf");
}

// Whether the answer says nothing about the name, only about the way to the name servers.
bool is_temporary(int status) { return status != ARES_ENOTFOUND && status != ARES_ENODATA; }

std::string address_text(const ares_addrinfo_node& node) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* address = nullptr;
  if (node.ai_family == AF_INET)
    address = &reinterpret_cast<const sockaddr_in*>(node.ai_addr)->sin_addr;
  else if (node.ai_family == AF_INET6)
    address = &reinterpret_cast<const sockaddr_in6*>(node.ai_addr)->sin6_addr;
  if (address == nullptr) return {};
  inet_ntop(node.ai_family, address, text.data(), text.size());
  return text.data();
}

}  // namespace

// What c-ares carries back to us. It may arrive after the resolver has gone.
struct Resolver::Query {
  Resolver* resolver;
  std::weak_ptr<bool> alive;
  std::string host;
};

bool is_address(std::string_view host) {
  if (host.empty() || host.front() == '/' || host.front() == '@') return true;
  if (host.find(':') != std::string_view::npos) return true;  // IPv6, perhaps with a zone.
  in_addr parsed{};
  return inet_pton(AF_INET, std::string(host).c_str(), &parsed) == 1;
}

base::Result<std::unique_ptr<Resolver>> Resolver::create(loop::Loop& loop,
                                                         ResolverOptions options) {
  std::unique_ptr<Resolver> resolver(new Resolver(loop, std::move(options)));
  ares_options settings{};
  settings.timeout = static_cast<int>(
      std::chrono::ceil<std::chrono::milliseconds>(resolver->options_.timeout).count());
  settings.tries = resolver->options_.tries;
  settings.sock_state_cb = [](void* self, ares_socket_t socket, int read, int write) {
    static_cast<Resolver*>(self)->watch_socket(socket, read != 0, write != 0);
  };
  settings.sock_state_cb_data = resolver.get();
  int wanted = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  std::string file = resolver->options_.resolv_conf;
  if (!file.empty()) {
    // c-ares takes a file that is not there for an empty one.
    if (::access(file.c_str(), R_OK) != 0) return unreadable(file);
    settings.resolvconf_path = file.data();
    wanted |= ARES_OPT_RESOLVCONF;
  }
  int status = ares_library_init(ARES_LIB_INIT_ALL);
  if (status == ARES_SUCCESS) status = ares_init_options(&resolver->channel_, &settings, wanted);
  if (status == ARES_SUCCESS && !resolver->options_.name_servers.empty())
    status =
        ares_set_servers_ports_csv(resolver->channel_, resolver->options_.name_servers.c_str());
  if (status != ARES_SUCCESS)
    return base::Error{base::ErrorCode::System, base::Side::Self, base::Retry::Never,
                       std::string("name resolution could not start: ") + ares_strerror(status)};
  return resolver;
}

Resolver::Resolver(loop::Loop& loop, ResolverOptions options)
    : loop_(loop), options_(std::move(options)) {}

Resolver::~Resolver() {
  alive_.reset();
  if (channel_ != nullptr) ares_destroy(channel_);
  for (const int socket : sockets_) loop_.forget(socket);
  for (const auto& [host, entry] : entries_) loop_.cancel(entry.refresh);
  loop_.cancel(timeout_);
}

void Resolver::resolve(const std::string& host, const Done& done) {
  if (is_address(host)) return done(Addresses{host});
  Entry& entry = entries_[host];
  if (!entry.is_asking && loop_.now() < entry.fresh_until) return done(entry.answer);
  entry.waiting.push_back(done);
  if (!entry.is_asking) ask(host, entry);
}

void Resolver::follow(const std::string& host, Changed changed) {
  if (is_address(host)) return changed(Addresses{host});
  Entry& entry = entries_[host];
  if (!entry.told.empty()) {
    changed(entry.answer.has_value() ? *entry.answer : entry.told);
  } else if (!entry.told_problem.empty()) {
    changed(entry.answer);
  }
  entry.followers.push_back(std::move(changed));
  if (!entry.is_asking && entry.refresh == loop::TimerId::None) ask(host, entry);
}

void Resolver::ask(const std::string& host, Entry& entry) {
  entry.is_asking = true;
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  auto* query = new Query{this, alive_, host};
  // c-ares may answer inside this call (from /etc/hosts): `entry` may have moved on after it.
  ares_getaddrinfo(
      channel_, host.c_str(), nullptr, &hints,
      [](void* argument, int status, int, ares_addrinfo* found) {
        const std::unique_ptr<Query> asked(static_cast<Query*>(argument));
        if (!asked->alive.expired()) asked->resolver->handle_answer(asked->host, status, found);
        if (found != nullptr) ares_freeaddrinfo(found);
      },
      query);
  arm_timeout();
}

void Resolver::handle_answer(const std::string& host, int status, const ares_addrinfo* found) {
  Entry& entry = entries_[host];
  entry.is_asking = false;
  remember(entry, host, status, found);
  // A copy, as in tell_followers().
  const base::Result<Addresses> answer = entry.answer;
  for (const Done& done : std::exchange(entry.waiting, {})) done(answer);
  tell_followers(host, entries_[host]);
}

void Resolver::remember(Entry& entry, const std::string& host, int status,
                        const ares_addrinfo* found) {
  Addresses addresses;
  base::Duration ttl = options_.ttl_max;
  const ares_addrinfo_node* node = found == nullptr ? nullptr : found->nodes;
  for (; node != nullptr; node = node->ai_next) {
    std::string text = address_text(*node);
    if (text.empty()) continue;
    addresses.push_back(std::move(text));
    ttl = std::min<base::Duration>(ttl, std::chrono::seconds(node->ai_ttl));
  }
  if (status == ARES_SUCCESS && !addresses.empty()) {
    entry.answer = std::move(addresses);
    entry.fresh_until = loop_.now() + std::max(ttl, options_.ttl_min);
    return;
  }
  if (status == ARES_SUCCESS) status = ARES_ENODATA;
  entry.fresh_until = loop_.now() + options_.failure_ttl;
  const bool has_known = entry.answer.has_value() && !entry.answer->empty();
  if (!is_temporary(status) || !has_known) entry.answer = explain(host, status);
}

void Resolver::tell_followers(const std::string& host, Entry& entry) {
  if (entry.followers.empty()) return;
  loop_.cancel(entry.refresh);
  entry.refresh = loop_.call_at(entry.fresh_until, [this, host] {
    Entry& stale = entries_[host];
    stale.refresh = loop::TimerId::None;
    if (!stale.is_asking) ask(host, stale);
  });
  if (is_known_to_followers(entry)) return;
  // Copies: a callback may ask again and so change the entry.
  const base::Result<Addresses> answer = entry.answer;
  const std::vector<Changed> followers = entry.followers;
  for (const Changed& changed : followers) changed(answer);
}

// And it is from now on.
bool Resolver::is_known_to_followers(Entry& entry) {
  if (!entry.answer.has_value()) {
    // They keep to the addresses that they know.
    if (!entry.told.empty()) return true;
    const std::string& problem = entry.answer.error().context;
    return std::exchange(entry.told_problem, problem) == problem;
  }
  // The order of equals changes from answer to answer (round robin): only the set counts.
  Addresses sorted = *entry.answer;
  std::sort(sorted.begin(), sorted.end());
  return std::exchange(entry.told, sorted) == sorted;
}

void Resolver::watch_socket(int descriptor, bool read, bool write) {
  std::erase(sockets_, descriptor);
  if (!read && !write) return loop_.forget(descriptor);
  sockets_.push_back(descriptor);
  loop_.watch(descriptor, {.read = read, .write = write}, [this, descriptor](loop::Interest ready) {
    ares_process_fd(channel_, ready.read ? descriptor : ARES_SOCKET_BAD,
                    ready.write ? descriptor : ARES_SOCKET_BAD);
    arm_timeout();
  });
}

void Resolver::arm_timeout() {
  loop_.cancel(std::exchange(timeout_, loop::TimerId::None));
  timeval wait{};
  if (ares_timeout(channel_, nullptr, &wait) == nullptr) return;
  timeout_ = loop_.call_after(
      std::chrono::seconds(wait.tv_sec) + std::chrono::microseconds(wait.tv_usec), [this] {
        timeout_ = loop::TimerId::None;
        ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        arm_timeout();
      });
}

}  // namespace pgweir::control
