// What holds for every configuration that was loaded, for the fuzz targets of its syntaxes.
#pragma once

#include <string>

#include "base/assert.h"
#include "config/compare.h"
#include "config/effective.h"
#include "config/load.h"

namespace pgweir::fuzz {

// Loads twice: either there is a configuration or a mistake that is one line, and the same text
// means the same.
inline void check_loading(const config::Sources& sources) {
  const config::LoadResult first = config::load(sources);
  const config::LoadResult second = config::load(sources);
  ASSERT(first.config.has_value() == first.mistakes.empty());
  ASSERT(first.config.has_value() == second.config.has_value());
  for (const config::Mistake& mistake : first.mistakes) ASSERT(!mistake.what.empty());
  if (!first.config) return;
  ASSERT(!first.config->proxy.databases.empty());
  for (const auto& database : first.config->proxy.databases) ASSERT(!database.hosts.empty());
  ASSERT(!config::render_effective(*first.config).empty());
  ASSERT(config::compare(*first.config, *second.config).empty());
}

// Files that a fuzzed text names: there are none.
inline base::Result<std::string> read_nothing(const std::string& path) {
  return base::Error{.code = base::ErrorCode::Configuration, .context = path + " is not there"};
}

}  // namespace pgweir::fuzz
