#include "control/probe.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>

namespace pgweir::control {

namespace {

// As in discovery: backend_type is visible of our own role's backends only.
constexpr const char* kUsage =
    "select usename, datname, coalesce(application_name, ''), count(*) "
    "from pg_catalog.pg_stat_activity where datid is not null and usesysid is not null "
    "and coalesce(backend_type, 'client backend') = 'client backend' "
    "and pid <> all ($1::pg_catalog.int4[]) and pid <> pg_catalog.pg_backend_pid() "
    "group by 1, 2, 3 order by 4 desc, 1, 2, 3 limit 10";

}  // namespace

Statement discovery_statement(const std::vector<std::int32_t>& own_pids) {
  return {std::string(budget::kDiscoverySql), {budget::encode_pids(own_pids)}};
}

base::Result<budget::ServerFacts> read_discovery(const Rows& rows, std::int32_t backend_pid) {
  if (rows.size() != 1)
    return base::Error{base::ErrorCode::Unsupported, base::Side::Server, base::Retry::Never,
                       fmt::format("the server answered discovery with {} rows instead of one; "
                                   "set connection_limit",
                                   rows.size())};
  std::vector<std::optional<std::string_view>> row;
  for (const auto& field : rows[0])
    row.push_back(field ? std::optional<std::string_view>(*field) : std::nullopt);
  return budget::parse_discovery(row, backend_pid);
}

Statement usage_statement(const std::vector<std::int32_t>& own_pids) {
  return {kUsage, {budget::encode_pids(own_pids)}};
}

std::vector<Usage> read_usage(const Rows& rows) {
  std::vector<Usage> usages;
  for (const Row& row : rows) {
    if (row.size() != 4) continue;
    Usage usage{row[0].value_or(""), row[1].value_or(""), row[2].value_or("")};
    const std::string count = row[3].value_or("");
    std::from_chars(count.data(), count.data() + count.size(), usage.count);
    if (usage.count > 0) usages.push_back(std::move(usage));
  }
  return usages;
}

std::string version_text(std::int64_t version) {
  if (version >= 100'000) return fmt::format("{}.{}", version / 10'000, version % 10'000);
  return fmt::format("{}.{}.{}", version / 10'000, version / 100 % 100, version % 100);
}

}  // namespace pgweir::control
