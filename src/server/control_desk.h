// ControlDesk: takes the core's parcels to the control thread and brings its findings back: lost
// servers, free slots, addresses of names, the limit. It decides nothing; Control does.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "config/config.h"
#include "control/control.h"
#include "net/mailbox.h"
#include "pool/exchange.h"
#include "proxy/parcels.h"
#include "server/loans.h"
#include "server/node_permits.h"

namespace pgweir::server {

class ControlDesk final : public net::ParcelSink {
 public:
  // All are borrowed. drained: called on the control thread when the Relay's last client has gone.
  ControlDesk(control::Control& control, net::Inbox& login, net::Inbox& relay,
              std::function<void(bool is_clean)> drained);

  // Before the threads start, and on the control thread when the configuration has changed: what it
  // names for the first time is added. One control node per PostgreSQL server that the
  // configuration names, with a level of its own in the exchange.
  void add_nodes(const config::Config& config, pool::Exchange& exchange);
  // For RelayWorld: what the pools share with the control thread, and what holds until it has
  // looked.
  const std::map<std::string, pool::LevelId>& levels() const { return levels_; }
  std::map<std::string, budget::Limits> limits_unseen() const;
  // Has every host name of the configuration followed.
  void follow_names(const proxy::Options& options);

  // Any thread.
  void post(std::unique_ptr<base::Parcel> parcel) override;

 private:
  void handle(base::Parcel& parcel);  // On the control thread.
  void tell(const std::string& host, const base::Result<control::Resolver::Addresses>& found);
  static std::uint32_t share_of(const config::Config& config);
  static bool has_login(const proxy::DatabaseOptions& database, const config::Config& config);
  void add_node(const proxy::DatabaseOptions& database, const config::Config& config,
                pool::Exchange& exchange);
  // Made with this limit if there is none of that name.
  pool::LevelId level(const std::string& name, std::uint32_t limit, pool::Exchange& exchange);

  control::Control& control_;
  net::Inbox& login_;
  net::Inbox& relay_;
  std::function<void(bool)> drained_;
  std::map<std::string, control::NodeIndex> nodes_;
  std::set<std::string> followed_names_;
  control::Clients clients_ = control::Clients::None;
  std::map<std::string, pool::LevelId> levels_;
  std::vector<std::unique_ptr<NodePermits>> permits_;
  Loans loans_;
  std::vector<std::unique_ptr<control::Borrow>> borrows_;
  std::map<std::string, std::set<std::uint32_t>> pids_;  // Of our backends; control thread only.
};

}  // namespace pgweir::server
