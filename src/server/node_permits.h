// NodePermits: one node's share of the Exchange, as the control thread takes from it for the
// service connection, and for one beside it now and then. It lends nothing and knows no connection.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "control/service_connection.h"
#include "pool/exchange.h"

namespace pgweir::server {

// Of the Exchange besides the data reactors: the control thread, which never waits in it. Where it
// is one of several users, pools announce themselves, so that a permit given back here reaches
// them.
inline constexpr std::uint32_t kOtherExchangeUsers = 1;

// Control thread only.
class NodePermits final : public control::PermitSource {
 public:
  // levels: narrowest first. freed: called when a permit was given back that pools may wait for.
  // The exchange and what `freed` calls outlive the permits.
  NodePermits(pool::Exchange& exchange, std::vector<pool::LevelId> levels,
              std::function<void()> freed)
      : exchange_(exchange), levels_(std::move(levels)), freed_(std::move(freed)) {}

  bool try_take() override;
  void give_back() override;

  // The node's limit. With room for a lasting service connection one permit is kept between one
  // connection and the next: when a server has restarted, the pools would leave none over.
  void set_limit(std::uint32_t limit);

 private:
  void give_to_pools();

  pool::Exchange& exchange_;
  std::vector<pool::LevelId> levels_;
  std::function<void()> freed_;
  int taken_ = 0;
  bool keeps_ = false;
  bool has_kept_ = false;
};

}  // namespace pgweir::server
