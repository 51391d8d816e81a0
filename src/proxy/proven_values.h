// ProvenValues: which parameter values a server of a route has accepted once. Those are replayed in
// the same send as the query behind them; a value that may be wrong is tried alone first, since
// then the query must not run.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "session/parameters.h"

namespace pgweir::proxy {

class ProvenValues {
 public:
  bool contains(const session::ParameterSet& set) const {
    return std::all_of(set.begin(), set.end(), [this](const auto& parameter) {
      return contains(parameter.first, parameter.second.text);
    });
  }
  bool contains(const std::string& name, const std::string& value) const {
    // Every client may have its own, and what is plain will do.
    if (name == "application_name" && is_plain_name(value)) return true;
    return values_.find({name, value}) != values_.end();
  }
  // One of them was refused after all: each is tried alone again.
  void forget(const session::ParameterSet& set) {
    for (const auto& [name, value] : set) values_.erase({name, value.text});
  }
  void add(const session::ParameterSet& set) {
    for (const auto& [name, value] : set) {
      if (values_.size() < kCountMax) values_.emplace(name, value.text);
    }
  }

 private:
  // The server reports it as it is: neither cut nor with other characters put in (NAMEDATALEN,
  // pg_clean_ascii).
  static bool is_plain_name(std::string_view text) {
    return text.size() < 64 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  }

  // Clients choose the values; what is beyond is tried alone each time.
  static constexpr std::size_t kCountMax = 10'000;
  std::set<std::pair<std::string, std::string>> values_;
};

}  // namespace pgweir::proxy
