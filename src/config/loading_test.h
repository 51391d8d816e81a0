// For the tests of config: loading a text and looking at what came of it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "config/load.h"

namespace pgweir::config {

// Files that tests make up.
inline FileReader files(std::map<std::string, std::string> contents) {
  return [contents = std::move(contents)](const std::string& path) -> base::Result<std::string> {
    const auto found = contents.find(path);
    if (found != contents.end()) return found->second;
    return base::Error{.code = base::ErrorCode::Configuration, .context = path + " is not there"};
  };
}

inline LoadResult load_url(const std::string& url) { return load({.database_url = url}); }
inline LoadResult load_toml(const std::string& text) {
  return load({.file = ConfigFile{"pgweir.toml", text}, .reader = files({})});
}
inline LoadResult load_ini(const std::string& text,
                           std::map<std::string, std::string> others = {}) {
  return load({.file = ConfigFile{"pgbouncer.ini", text}, .reader = files(std::move(others))});
}

inline std::vector<std::string> lines(const std::vector<Remark>& remarks) {
  std::vector<std::string> out;
  for (const Remark& remark : remarks) out.push_back(remark.line());
  return out;
}

// The configuration; a test that gets mistakes instead fails and shows them.
inline Config good(const LoadResult& result) {
  EXPECT_THAT(lines(result.mistakes), testing::IsEmpty());
  return result.config.value_or(Config{});
}
// The one database of a configuration.
inline proxy::DatabaseOptions only_database(const LoadResult& result) {
  const Config config = good(result);
  EXPECT_EQ(config.proxy.databases.size(), 1U);
  return config.proxy.databases.empty() ? proxy::DatabaseOptions{} : config.proxy.databases[0];
}

}  // namespace pgweir::config
