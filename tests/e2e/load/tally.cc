#include "tally.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace pgweir::load {

std::size_t Tally::add_client(Kind kind) {
  clients_.push_back({.kind = kind});
  return clients_.size() - 1;
}

void Tally::count_operation(std::size_t client, Seconds took) {
  ++clients_[client].operations;
  Seconds& longest = longest_[static_cast<std::size_t>(clients_[client].kind)];
  longest = std::max(longest, took);
}

void Tally::count_error(Kind kind, const std::string& sqlstate, const std::string& message,
                        Seconds at) {
  Errors& errors = errors_[{sqlstate, std::string(name_of(kind)) + ": " + message}];
  ++errors.count;
  errors.last_at = std::max(errors.last_at, at);
}

std::string Tally::to_json() const {
  nlohmann::json classes;
  for (const Kind kind : kKinds) {
    std::vector<std::uint64_t> counts;
    std::vector<std::uint64_t> turns;
    for (const Client& client : clients_) {
      if (client.kind != kind) continue;
      counts.push_back(client.operations);
      turns.push_back(client.operations + client.broken);
    }
    if (counts.empty()) continue;
    std::sort(counts.begin(), counts.end());
    std::sort(turns.begin(), turns.end());
    std::uint64_t total = 0;
    for (const std::uint64_t count : counts) total += count;
    classes[name_of(kind)] = {
        {"clients", counts.size()},     {"operations", total},
        {"slowest", counts.front()},    {"median", counts[counts.size() / 2]},
        {"fastest", counts.back()},     {"longest_s", longest_[static_cast<std::size_t>(kind)]},
        {"least_turns", turns.front()}, {"median_turns", turns[turns.size() / 2]}};
  }
  nlohmann::json errors = nlohmann::json::array();
  for (const auto& [what, seen] : errors_) {
    errors.push_back({{"sqlstate", what.first},
                      {"message", what.second},
                      {"count", seen.count},
                      {"last_at_s", seen.last_at}});
  }
  const nlohmann::json report{{"classes", classes},
                              {"errors", errors},
                              {"commits", commits_},
                              {"stuck", stuck_},
                              {"connect_s", connect_time_}};
  return report.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace pgweir::load
