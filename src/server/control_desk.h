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
#include "proxy/placement.h"
#include "server/loans.h"
#include "server/node_permits.h"

namespace pgweir::server {

class ControlDesk final : public net::ParcelSink {
 public:
  // All are borrowed. drained: called on the control thread when the last client of the last Relay
  // has gone.
  ControlDesk(control::Control& control, net::Inbox& login, std::vector<net::Inbox*> relays,
              proxy::Placement& placement, std::function<void(bool is_clean)> drained);

  // Before the threads start, and on the control thread when the configuration has changed: what it
  // names for the first time is added. One control node per PostgreSQL server that the
  // configuration names, with a level of its own in the exchange.
  void add_nodes(const config::Config& config, pool::Exchange& exchange);
  // For RelayWorld: what holds until the control thread has looked.
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
  void handle_clients(const proxy::ClientsChanged& changed);
  void handle_drained(const proxy::Drained& drained);
  // Has each Relay told what `make` makes for it.
  template <class Make>
  void tell_relays(Make make) {
    for (net::Inbox* relay : relays_) relay->post(make());
  }

  control::Control& control_;
  proxy::Placement& placement_;
  net::Inbox& login_;
  const std::vector<net::Inbox*> relays_;
  std::function<void(bool)> drained_;
  std::size_t drained_count_ = 0;
  bool is_drain_clean_ = true;
  std::map<std::string, control::NodeIndex> nodes_;
  std::set<std::string> followed_names_;
  std::vector<control::Clients> clients_;  // By Relay.
  std::vector<std::unique_ptr<NodePermits>> permits_;
  Loans loans_;
  std::vector<std::unique_ptr<control::Borrow>> borrows_;
  std::map<std::string, std::set<std::uint32_t>> pids_;  // Of our backends; control thread only.
  std::uint64_t limits_version_ = 0;                     // Of those that Relays were told last.
};

}  // namespace pgweir::server
