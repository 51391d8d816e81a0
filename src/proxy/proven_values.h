// ProvenValues: which parameter values a server of a route has accepted once. Those are replayed in
// the same send as the query behind them; a value that may be wrong is tried alone first, since
// then the query must not run.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "session/parameters.h"

namespace pgweir::proxy {

class ProvenValues {
 public:
  bool contains(const session::ParameterSet& set) const {
    for (const auto& [name, value] : set) {
      // Any text will do for it; every client may have its own.
      if (name == "application_name") continue;
      if (values_.find({name, value.text}) == values_.end()) return false;
    }
    return true;
  }
  void add(const session::ParameterSet& set) {
    for (const auto& [name, value] : set) {
      if (values_.size() < kCountMax) values_.emplace(name, value.text);
    }
  }

 private:
  // Clients choose the values; what is beyond is tried alone each time.
  static constexpr std::size_t kCountMax = 10'000;
  std::set<std::pair<std::string, std::string>> values_;
};

}  // namespace pgweir::proxy
