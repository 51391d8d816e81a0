#include "server/control_desk.h"

#include <algorithm>

#include "config/connection_parameters.h"
#include "proxy/address_book.h"
#include "proxy/route.h"

namespace pgweir::server {
namespace {

// What a node may be given before anybody has looked at it, or where that finds nothing and nothing
// is configured: enough to begin with, too little to hurt.
constexpr std::uint32_t kLimitUnseen = 4;
// The same of a single role or database, which may have a limit of its own, below that: one for a
// pool beside the one with which the control thread looks.
constexpr std::uint32_t kLevelLimitUnseen = 2;

// The entry with what it leaves to its clients filled in, where that can only be one thing.
proxy::DatabaseOptions with_login(proxy::DatabaseOptions database, const proxy::Options& options) {
  if (database.user.empty() && options.users.size() == 1) {
    database.user = options.users.front().name;
    database.password = options.users.front().secret;
  }
  if (database.server_database.empty() && database.name != "*") {
    database.server_database = database.name;
  }
  return database;
}

// Whether the configuration says for each pool of a node how large it may be.
bool has_sizes(const std::string& node, const config::Config& config) {
  const auto& databases = config.proxy.databases;
  return std::all_of(databases.begin(), databases.end(), [&](const auto& database) {
    return proxy::node_name(database) != node ||
           database.pool.server_count_max != pool::kUnlimited ||
           database.server_count_max != pool::kUnlimited;
  });
}

// As whom and where to pools log in at a node; empty if some log in as their clients' users.
std::vector<budget::Login> logins_at(const std::string& node, const proxy::Options& options) {
  std::vector<budget::Login> logins;
  for (const proxy::DatabaseOptions& database : options.databases) {
    if (proxy::node_name(database) != node) continue;
    const proxy::DatabaseOptions own = with_login(database, options);
    if (own.user.empty() || own.name == "*") return {};
    logins.push_back({own.user, own.server_database});
  }
  return logins;
}

control::Clients read(const proxy::ClientsChanged& changed) {
  if (!changed.has_clients) return control::Clients::None;
  return changed.are_at_rest ? control::Clients::AtRest : control::Clients::Active;
}

// One client that asks for something is enough.
control::Clients busiest(const std::vector<control::Clients>& of_relays) {
  const auto are_any = [&](control::Clients what) {
    return std::find(of_relays.begin(), of_relays.end(), what) != of_relays.end();
  };
  if (are_any(control::Clients::Active)) return control::Clients::Active;
  return are_any(control::Clients::AtRest) ? control::Clients::AtRest : control::Clients::None;
}

}  // namespace

ControlDesk::ControlDesk(control::Control& control, net::Inbox& login,
                         std::vector<net::Inbox*> relays, proxy::Placement& placement,
                         std::function<void(bool)> drained)
    : control_(control),
      placement_(placement),
      login_(login),
      relays_(std::move(relays)),
      drained_(std::move(drained)),
      clients_(relays_.size(), control::Clients::None),
      loans_([this, &placement](std::unique_ptr<proxy::RunErrand> errand) {
        // A guess; it passes on what it has no server for.
        const pool::ReactorIndex home = placement.home_of(errand->database, errand->user);
        relays_[home]->post(std::move(errand));
      }) {}

void ControlDesk::add_nodes(const config::Config& config, pool::Exchange& exchange) {
  const std::uint32_t set = config.budget.connection_limit;
  exchange.level(proxy::kProcessLevel, set != 0 ? set : pool::kUnlimited);
  for (const proxy::DatabaseOptions& database : config.proxy.databases) {
    const std::string node = proxy::node_name(database);
    exchange.level(proxy::server_level_name(node), set != 0 ? set : kLimitUnseen);
    // An entry without a user of its own cannot be logged in to on nobody's behalf.
    if (nodes_.find(node) == nodes_.end() && has_login(database, config)) {
      if (set == 0) placement_.expect_limit(node);
      add_node(database, config, exchange);
    }
  }
  // At these nodes nobody can look, so the configured sizes are all that holds.
  for (const proxy::DatabaseOptions& database : config.proxy.databases) {
    const std::string node = proxy::node_name(database);
    if (nodes_.find(node) == nodes_.end() && set == 0) {
      exchange.set_limit(*exchange.find_level(proxy::server_level_name(node)), pool::kUnlimited);
    }
  }
}

bool ControlDesk::has_login(const proxy::DatabaseOptions& database, const config::Config& config) {
  return !database.user.empty() || config.proxy.users.size() == 1;
}

// What each node may count on of a limit that is set for all of them together: many service
// connections must not take it up among themselves.
std::uint32_t ControlDesk::share_of(const config::Config& config) {
  const std::uint32_t set = config.budget.connection_limit;
  if (set == 0) return pool::kUnlimited;
  std::set<std::string> nodes;
  for (const proxy::DatabaseOptions& database : config.proxy.databases) {
    nodes.insert(proxy::node_name(database));
  }
  return set / static_cast<std::uint32_t>(nodes.size());
}

void ControlDesk::add_node(const proxy::DatabaseOptions& database, const config::Config& config,
                           pool::Exchange& exchange) {
  const std::string node = proxy::node_name(database);
  const proxy::DatabaseOptions own = with_login(database, config.proxy);
  const budget::Login login{own.user, config::service_database(own)};
  permits_.push_back(std::make_unique<NodePermits>(
      exchange,
      std::vector{
          exchange.level(proxy::role_level_name(node, login.role), kLevelLimitUnseen),
          exchange.level(proxy::database_level_name(node, login.database), kLevelLimitUnseen),
          *exchange.find_level(proxy::server_level_name(node)),
          *exchange.find_level(proxy::kProcessLevel)},
      [this] { tell_relays([] { return std::make_unique<proxy::PermitsFreed>(); }); }));
  NodePermits* const permits = permits_.back().get();
  const std::uint32_t share = share_of(config);
  const std::uint32_t unfound = has_sizes(node, config) ? pool::kUnlimited : kLimitUnseen;
  permits->set_limit(std::min(share, kLimitUnseen));
  control::NodeOptions options{
      .name = node,
      .database = own,
      .logins = logins_at(node, config.proxy),
      .budget = config.budget,
      .share = share,
      .permits = permits,
      .own_pids =
          [this, node] {
            const auto& pids = pids_[node];
            return std::vector<std::int32_t>(pids.begin(), pids.end());
          },
      .limits_changed =
          [this, node, permits, share, unfound, login](const budget::Limits& found) {
            budget::Limits limits = found;
            if (limits.server == pool::kUnlimited) limits.server = unfound;
            permits->set_limit(std::min(share, budget::most_of(limits, std::span(&login, 1))));
            placement_.note_limit(node);
            ++limits_version_;
            tell_relays([&] {
              auto changed = std::make_unique<proxy::LimitChanged>();
              changed->node = node;
              changed->limits = limits;
              changed->version = limits_version_;
              return changed;
            });
          },
      .unix_socket_changed =
          [this](const std::string& address, std::uint16_t port, const std::string& path) {
            auto found = std::make_unique<proxy::UnixSocketFound>();
            found->address = address;
            found->port = port;
            found->path = path;
            login_.post(std::move(found));
          }};
  borrows_.push_back(loans_.of(database.name, options.database.user));
  options.borrow = borrows_.back().get();
  const control::NodeIndex index = control_.add_node(std::move(options));
  nodes_.emplace(node, index);
  control_.note_clients(index, busiest(clients_));
}

std::map<std::string, budget::Limits> ControlDesk::limits_unseen() const {
  std::map<std::string, budget::Limits> limits;
  for (const auto& [node, index] : nodes_) limits[node].unnamed = kLevelLimitUnseen;
  return limits;
}

void ControlDesk::follow_names(const proxy::Options& options) {
  for (const proxy::DatabaseOptions& database : options.databases) {
    for (const proxy::ServerAddress& server : database.hosts) {
      if (!proxy::AddressBook::is_name(server)) continue;
      if (!followed_names_.insert(server.host).second) continue;
      control_.follow_name(server.host,
                           [this, host = server.host](const auto& found) { tell(host, found); });
    }
  }
}

void ControlDesk::tell(const std::string& host,
                       const base::Result<control::Resolver::Addresses>& found) {
  auto parcel = std::make_unique<proxy::AddressesFound>();
  parcel->host = host;
  if (found.has_value()) {
    parcel->addresses = *found;
  } else {
    parcel->problem = found.error().context;
  }
  login_.post(std::move(parcel));
}

void ControlDesk::post(std::unique_ptr<base::Parcel> parcel) {
  // std::function wants to be copied; the parcel is not.
  control_.post(
      [this, shared = std::shared_ptr<base::Parcel>(std::move(parcel))] { handle(*shared); });
}

void ControlDesk::handle(base::Parcel& parcel) {
  if (const auto* backend = dynamic_cast<proxy::BackendChanged*>(&parcel)) {
    if (backend->is_ours) {
      pids_[backend->node].insert(backend->pid);
    } else {
      pids_[backend->node].erase(backend->pid);
    }
  } else if (const auto* lost = dynamic_cast<proxy::ServerLost*>(&parcel)) {
    const auto node = nodes_.find(lost->node);
    if (node == nodes_.end()) return;
    control_.note_lost(node->second, static_cast<int>(lost->pid),
                       [this, token = lost->token, name = lost->node, pid = lost->pid] {
                         pids_[name].erase(pid);
                         auto gone = std::make_unique<proxy::ServerGone>();
                         gone->token = token;
                         relays_[proxy::mailbox_of(token).index]->post(std::move(gone));
                       });
  } else if (const auto* done = dynamic_cast<proxy::ErrandDone*>(&parcel)) {
    loans_.handle(*done);
  } else if (const auto* full = dynamic_cast<proxy::ServerFull*>(&parcel)) {
    const auto node = nodes_.find(full->node);
    if (node != nodes_.end()) control_.note_refused(node->second);
  } else if (const auto* clients = dynamic_cast<proxy::ClientsChanged*>(&parcel)) {
    handle_clients(*clients);
  } else if (const auto* drained = dynamic_cast<proxy::Drained*>(&parcel)) {
    handle_drained(*drained);
  }
}

void ControlDesk::handle_clients(const proxy::ClientsChanged& changed) {
  clients_[changed.relay] = read(changed);
  for (const auto& [name, node] : nodes_) control_.note_clients(node, busiest(clients_));
}

void ControlDesk::handle_drained(const proxy::Drained& drained) {
  is_drain_clean_ = is_drain_clean_ && drained.is_clean;
  if (++drained_count_ == relays_.size()) drained_(is_drain_clean_);
}

}  // namespace pgweir::server
