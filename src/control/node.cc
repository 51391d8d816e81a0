#include "control/node.h"

#include <algorithm>
#include <set>
#include <utility>

#include "config/connection_parameters.h"
#include "control/events.h"
#include "control/probe.h"

namespace pgweir::control {

namespace {

// How long a count may take before one wonders: over a connection that is there, and where one has
// to be opened or borrowed, for which the clients' transactions are waited for.
constexpr base::Duration kCountMax = std::chrono::seconds(1);
constexpr base::Duration kBorrowedCountMax = std::chrono::seconds(6);

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

Node::Node(loop::Loop& loop, Resolver& resolver, obs::Log& log, NodeOptions options,
           std::function<void()> changed)
    : loop_(loop),
      log_(log),
      options_(std::move(options)),
      changed_(std::move(changed)),
      tracker_(options_.budget),
      service_(loop, resolver, {.permits = *options_.permits, .borrow = *options_.borrow},
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
          .discovered = [this](const Found& found) { return handle_discovered(found); },
          .measured = [this](std::uint32_t count) { handle_counted(count); },
          .failed = [this](const insight::Failure& failure) { handle_failed(failure); },
          .crowded_out = [this] { handle_crowded_out(); },
          .lost_counted =
              [this](std::size_t count) {
                snapshot_.servers_lost = count;
                changed_();
              },
          .unix_socket_changed = [this](const UnixSocketNews& news) { handle_unix_socket(news); }};
}

void Node::start() {
  service_.set_guest(is_guest());
  service_.start();
}

void Node::handle_clients(Clients clients) {
  if (std::exchange(clients_, clients) != clients) {
    expect_count(loop_.now());
    changed_();
  }
  service_.handle_clients(clients);
}

void Node::expect_count(base::Instant from) {
  const base::Duration count_max = service_.is_connected() ? kCountMax : kBorrowedCountMax;
  snapshot_.next_count_due = clients_ == Clients::None
                                 ? base::kNever
                                 : from + measure_interval(options_.budget, clients_) + count_max;
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
}

base::Instant Node::handle_discovered(const Found& found) {
  const auto facts = read_discovery(found.rows, found.pid);
  // It answers, only not as PostgreSQL would: that is no failure of the connection.
  if (!facts.has_value()) {
    report_unusable(facts.error().context);
    tracker_.handle_look_failed(loop_.now());
    follow_limits();
    note_answer();
    snapshot_.reason = facts.error().context;
    changed_();
    return tracker_.next_look();
  }
  return believe(*facts);
}

base::Instant Node::believe(const budget::ServerFacts& found) {
  const budget::ServerFacts facts = second_look_.take(found);
  note_allowance(facts);
  const budget::Trouble trouble = snapshot_.allowance->trouble;
  // Else it would rise from a limit too low as slowly as from one that was right.
  if (second_look_.corrects_first() && trouble == budget::Trouble::None)
    tracker_ = budget::AllowanceTracker(options_.budget);
  tracker_.handle_facts(facts, loop_.now());
  switch (trouble) {
    case budget::Trouble::None: is_reported_unusable_ = false; break;
    case budget::Trouble::BehindPooler:
      report_unusable("another pooler is behind this address; set connection_limit");
      break;
    case budget::Trouble::Nonsense: report_unusable("its numbers make no sense"); break;
  }
  follow_limits();
  handle_counted(static_cast<std::uint32_t>(facts.ours + facts.others_total));
  return second_look_.is_wanted() ? loop_.now() + budget::kSecondLookAfter : tracker_.next_look();
}

void Node::note_allowance(const budget::ServerFacts& facts) {
  const std::optional<budget::Login> login = only_login();
  snapshot_.facts = facts;
  snapshot_.allowance = budget::compute_allowance(facts, options_.budget, login);
  snapshot_.usable = snapshot_.allowance->limit;
  snapshot_.level_sums.clear();
  if (login || snapshot_.allowance->trouble != budget::Trouble::None) return;
  snapshot_.usable =
      budget::most_of(budget::compute_limits(facts, options_.budget), options_.logins);
  std::set<std::pair<budget::Bound, std::string>> seen;
  for (const budget::Login& one : options_.logins) {
    for (budget::Sum& sum : budget::compute_allowance(facts, options_.budget, one).sums) {
      const bool is_role = sum.bound == budget::Bound::Role;
      if (!is_role && sum.bound != budget::Bound::Database) continue;
      const std::string& name = is_role ? one.role : one.database;
      if (seen.emplace(sum.bound, name).second)
        snapshot_.level_sums.push_back({name, std::move(sum)});
    }
  }
}

void Node::note_answer() {
  if (!std::exchange(snapshot_.is_answering, true))
    log_.event(kNodeAnswers, {obs::kv("node", std::string_view(options_.name))});
  snapshot_.reason.clear();
}

void Node::handle_counted(std::uint32_t client_backends) {
  note_answer();
  snapshot_.client_backends = client_backends;
  snapshot_.counted = loop_.now();
  expect_count(snapshot_.counted);
  changed_();
}

void Node::handle_failed(const insight::Failure& failure) {
  log_.event(kNodeFailed,
             {obs::kv("node", std::string_view(options_.name)), obs::kv("reason", failure.kind),
              obs::kv("problem", std::string_view(failure.error.context)),
              obs::kv("next", insight::advice(failure.kind))});
  tracker_.handle_look_failed(loop_.now());
  snapshot_.is_answering = false;
  snapshot_.reason = failure.error.context + "; " + std::string(insight::advice(failure.kind));
  changed_();
}

void Node::handle_crowded_out() {
  snapshot_.reason = "all connections that pgweir may open are in use, by transactions that last";
  // That says nothing of the server.
  snapshot_.next_count_due = base::kNever;
  changed_();
}

void Node::handle_unix_socket(const UnixSocketNews& news) {
  if (!news.problem.empty()) {
    log_.event(kUnixSocketUnused, {obs::kv("node", std::string_view(options_.name)),
                                   obs::kv("problem", std::string_view(news.problem))});
    return;
  }
  if (!news.path.empty())
    log_.event(kUnixSocketFound, {obs::kv("node", std::string_view(options_.name)),
                                  obs::kv("path", std::string_view(news.path))});
  options_.unix_socket_changed(news.address, news.port, news.path);
}

void Node::report_unusable(std::string_view problem) {
  if (std::exchange(is_reported_unusable_, true)) return;
  log_.event(kDiscoveryUnusable,
             {obs::kv("node", std::string_view(options_.name)), obs::kv("problem", problem)});
}

// The service connection counts with its role and in its database like any other.
bool Node::is_guest() const {
  if (!config::limit_of_libpq(options_.database).empty()) return true;
  const budget::Login own{options_.database.user, config::service_database(options_.database)};
  return std::min(budget::most_of(tracker_.limits(), std::span(&own, 1)), options_.share) <
         kLastingLimitMin;
}

std::optional<budget::Login> Node::only_login() const {
  const auto& logins = options_.logins;
  const bool is_one = !logins.empty() && std::all_of(logins.begin(), logins.end(),
                                                     [&](auto& l) { return l == logins.front(); });
  return is_one ? std::optional(logins.front()) : std::nullopt;
}

void Node::follow_limits() {
  const budget::Limits limits = tracker_.limits();
  if (std::exchange(told_limits_, limits) == limits) return;
  const std::uint32_t limit = budget::most_of(limits, options_.logins);
  if (std::exchange(snapshot_.limit, limit) != limit) {
    log_.event(kLimitChanged,
               {obs::kv("node", std::string_view(options_.name)), obs::kv("limit", limit),
                obs::kv("bound", to_text(snapshot_.allowance->bound)),
                obs::kv("others", snapshot_.facts->others_total)});
  }
  options_.limits_changed(limits);
  service_.set_guest(is_guest());
}

}  // namespace pgweir::control
