// RelayState: what the parts of the Relay share: the world outside, the tables, the parties, and
// each other. It has no rule of its own.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/entropy.h"
#include "base/io.h"
#include "obs/log.h"
#include "obs/metrics.h"
#include "pool/shard.h"
#include "proxy/login_party.h"
#include "proxy/options.h"
#include "proxy/registry.h"
#include "proxy/route.h"
#include "session/parameters.h"
#include "session/statement_table.h"

namespace pgweir::proxy {

class Cancels;
class Departures;
class Effects;
class Errands;
class Giving;
class Handback;
class Holders;
class Inquiry;
class Intake;
class Leases;
class LostServers;
class ParameterReplay;
class Recovery;
class Replies;
class Requests;

// What the shell or the simulator provides. Everything outlives the Relay.
struct RelayWorld {
  base::Io& io;
  base::Entropy& entropy;
  obs::Log& log;
  obs::Metrics& metrics;
  SharedCounts& counts;
  pool::Exchange& exchange;
  Placement& placement;
  pool::ReactorIndex index = 0;                       // This Relay among all.
  std::uint64_t seed = 0;                             // Of jitter.
  std::map<std::string, budget::Limits> limits = {};  // As Routes takes them.
};

struct RelayState {
  RelayState(const RelayWorld& with, std::shared_ptr<const Options> initial)
      : world(with),
        options(std::move(initial)),
        shard(with.exchange, with.seed, with.index, with.placement.relay_count()),
        routes({with.exchange, shard, with.metrics, with.placement, with.index}, with.limits),
        registry(with.index) {
    statements.set_author(with.index);
  }

  RelayWorld world;
  std::shared_ptr<const Options> options;
  session::ParameterTable parameters;
  session::StatementTable statements;
  pool::Shard shard;
  Routes routes;
  Registry registry;
  bool is_draining = false;
  std::uint32_t reload_count = 0;  // Configurations that came into force since the start.

  // Scratch buffers, kept for their memory; empty between events.
  base::ByteBuffer to_server;
  base::ByteBuffer to_client;
  base::ByteBuffer message;

  Intake* intake = nullptr;
  Requests* requests = nullptr;
  Replies* replies = nullptr;
  Handback* handback = nullptr;
  Leases* leases = nullptr;
  LostServers* lost = nullptr;
  ParameterReplay* parameter_replay = nullptr;
  Recovery* recovery = nullptr;
  Cancels* cancels = nullptr;
  Effects* effects = nullptr;
  Errands* errands = nullptr;
  Giving* giving = nullptr;
  Holders* holders = nullptr;
  Inquiry* inquiry = nullptr;
  Departures* departures = nullptr;
};

}  // namespace pgweir::proxy
