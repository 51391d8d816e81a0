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
class Handback;
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
  std::uint64_t seed = 0;                             // Of jitter.
  std::map<std::string, pool::LevelId> levels = {};   // As Routes takes them.
  std::map<std::string, budget::Limits> limits = {};  // As well.
};

struct RelayState {
  RelayState(const RelayWorld& with, std::shared_ptr<const Options> initial)
      : world(with),
        options(std::move(initial)),
        shard(with.exchange, with.seed),
        routes(with.exchange, shard, with.metrics, with.levels, with.limits) {}

  RelayWorld world;
  std::shared_ptr<const Options> options;
  session::ParameterTable parameters;
  session::StatementTable statements;
  pool::Shard shard;
  Routes routes;
  Registry registry;
  bool is_draining = false;

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
  Inquiry* inquiry = nullptr;
  Departures* departures = nullptr;
};

}  // namespace pgweir::proxy
