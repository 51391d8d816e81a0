#include "control/node.h"

#include <utility>

#include "control/events.h"
#include "control/probe.h"

namespace pgweir::control {

namespace {

std::string_view to_text(budget::Bound bound) {
  switch (bound) {
    case budget::Bound::Server: return "server";
    case budget::Bound::Role: return "role";
    case budget::Bound::Database: return "database";
    case budget::Bound::Configured: return "configured";
  }
  return "";
}

}  // namespace

Node::Node(Loop& loop, Resolver& resolver, obs::Log& log, NodeOptions options,
           std::function<void()> changed)
    : loop_(loop),
      log_(log),
      options_(std::move(options)),
      changed_(std::move(changed)),
      tracker_(options_.budget),
      service_(loop, resolver, *options_.permits,
               {.node = options_.name,
                .database = options_.database,
                .budget = options_.budget,
                .seed = options_.seed},
               make_callbacks()) {
  snapshot_.node = options_.name;
  snapshot_.limit = tracker_.limit();
}

ServiceCallbacks Node::make_callbacks() {
  return {.discovery = [this] { return discovery_statement(options_.own_pids()); },
          .discovered =
              [this](const Rows& rows, const SessionFacts& session) {
                return handle_discovered(rows, session);
              },
          .measured = [this](std::uint32_t count) { handle_counted(count); },
          .failed = [this](const Failure& failure) { handle_failed(failure); },
          .no_permit = [this] { handle_no_permit(); }};
}

void Node::start() {
  service_.set_brief(snapshot_.limit < kLastingLimitMin);
  service_.start();
}

void Node::handle_refused() {
  tracker_.handle_refused(loop_.now());
  service_.handle_refused();
}

void Node::find_lost(int pid, std::function<void()> gone) {
  service_.find_lost(pid, [this, gone = std::move(gone)] {
    log_.event(kLostServerGone, {obs::kv("node", std::string_view(options_.name))});
    gone();
  });
  snapshot_.servers_lost = service_.lost_count();
  changed_();
}

std::variant<base::Instant, Failure> Node::handle_discovered(const Rows& rows,
                                                             const SessionFacts& session) {
  snapshot_.tls = session.tls;
  auto facts = read_discovery(rows, session.pid);
  // It answers, only not as PostgreSQL would: that is no failure of the connection.
  if (!facts.has_value()) {
    report_unusable(facts.error().context);
    tracker_.handle_look_failed(loop_.now());
    return tracker_.next_look();
  }
  tracker_.handle_facts(*facts, loop_.now());
  snapshot_.facts = *facts;
  snapshot_.allowance = tracker_.latest();
  switch (snapshot_.allowance->trouble) {
    case budget::Trouble::None: is_reported_unusable_ = false; break;
    case budget::Trouble::BehindPooler:
      report_unusable("another pooler is behind this address; set connection_limit");
      break;
    case budget::Trouble::Nonsense: report_unusable("its numbers make no sense"); break;
  }
  follow_limit();
  handle_counted(static_cast<std::uint32_t>(facts->ours + facts->others_total));
  return tracker_.next_look();
}

void Node::handle_counted(std::uint32_t client_backends) {
  if (!std::exchange(snapshot_.is_answering, true))
    log_.event(kNodeAnswers, {obs::kv("node", std::string_view(options_.name))});
  snapshot_.reason.clear();
  snapshot_.client_backends = client_backends;
  snapshot_.counted = loop_.now();
  snapshot_.servers_lost = service_.lost_count();
  changed_();
}

void Node::handle_failed(const Failure& failure) {
  log_.event(kNodeFailed,
             {obs::kv("node", std::string_view(options_.name)), obs::kv("reason", failure.kind),
              obs::kv("problem", std::string_view(failure.error.context)),
              obs::kv("next", advice(failure.kind))});
  tracker_.handle_look_failed(loop_.now());
  snapshot_.is_answering = false;
  snapshot_.reason = failure.error.context + "; " + std::string(advice(failure.kind));
  changed_();
}

void Node::handle_no_permit() {
  std::string reason = snapshot_.limit < kLastingLimitMin
                           ? "not connected: the limit is below 4, so health waits for its turn"
                           : "not connected: all connections are in use, health waits for its turn";
  // It comes back every few milliseconds.
  if (snapshot_.reason == reason) return;
  snapshot_.reason = std::move(reason);
  changed_();
}

void Node::report_unusable(std::string_view problem) {
  if (std::exchange(is_reported_unusable_, true)) return;
  log_.event(kDiscoveryUnusable,
             {obs::kv("node", std::string_view(options_.name)), obs::kv("problem", problem)});
}

void Node::follow_limit() {
  const std::uint32_t limit = tracker_.limit();
  if (std::exchange(snapshot_.limit, limit) == limit) return;
  log_.event(kLimitChanged,
             {obs::kv("node", std::string_view(options_.name)), obs::kv("limit", limit),
              obs::kv("bound", to_text(snapshot_.allowance->bound)),
              obs::kv("others", snapshot_.facts->others_total)});
  options_.limit_changed(limit);
  service_.set_brief(limit < kLastingLimitMin);
}

}  // namespace pgweir::control
