#include "budget/discovery.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <iterator>

namespace pgweir::budget {

// The role is the one that logged in: SET ROLE changes neither rolconnlimit's nor the counts. Where
// backend_type can be seen it tells parallel workers and walsenders apart, which take no slot of
// max_connections; where it cannot, they are counted as clients, which errs to the safe side.
const std::string_view kDiscoverySql = R"sql(
SELECT pg_catalog.current_setting('server_version_num'),
       pg_catalog.current_setting('max_connections'),
       pg_catalog.current_setting('superuser_reserved_connections'),
       coalesce(nullif(pg_catalog.current_setting('reserved_connections', true), ''), '0'),
       r.rolconnlimit,
       d.datconnlimit,
       r.rolsuper,
       pg_catalog.pg_backend_pid(),
       count(*) FILTER (WHERE NOT a.is_ours),
       count(*) FILTER (WHERE NOT a.is_ours AND a.usesysid = r.oid),
       count(*) FILTER (WHERE NOT a.is_ours AND a.datid = d.oid),
       count(*) FILTER (WHERE a.is_ours)
  FROM pg_catalog.pg_roles r,
       pg_catalog.pg_database d,
       (SELECT usesysid, datid,
               pid = ANY ($1::pg_catalog.int4[]) OR pid = pg_catalog.pg_backend_pid() AS is_ours
          FROM pg_catalog.pg_stat_activity
         WHERE datid IS NOT NULL AND usesysid IS NOT NULL
           AND coalesce(backend_type, 'client backend') = 'client backend') a
 WHERE r.rolname = session_user AND d.datname = pg_catalog.current_database()
 GROUP BY r.rolconnlimit, d.datconnlimit, r.rolsuper)sql";

namespace {

using Row = std::span<const std::optional<std::string_view>>;

constexpr std::array<std::string_view, kDiscoveryColumns> kColumnNames{
    "server_version_num",
    "max_connections",
    "superuser_reserved_connections",
    "reserved_connections",
    "rolconnlimit",
    "datconnlimit",
    "rolsuper",
    "pg_backend_pid",
    "others",
    "others of the role",
    "others in the database",
    "ours"};

base::Error not_postgres(std::string context) {
  return {.code = base::ErrorCode::Unsupported,
          .side = base::Side::Server,
          .context = std::move(context)};
}

base::Error bad_column(std::size_t column, std::string_view text) {
  return not_postgres(fmt::format("the server's {} is '{}', which PostgreSQL would not say",
                                  kColumnNames[column], text.substr(0, 40)));
}

base::Result<std::int64_t> parse_number(Row row, std::size_t column) {
  const std::string_view text = row[column].value_or("NULL");
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return bad_column(column, text);
  return value;
}

base::Result<bool> parse_bool(Row row, std::size_t column) {
  const std::string_view text = row[column].value_or("NULL");
  if (text == "t") return true;
  if (text == "f") return false;
  return bad_column(column, text);
}

}  // namespace

std::string encode_pids(std::span<const std::int32_t> pids) {
  return fmt::format("{{{}}}", fmt::join(pids, ","));
}

base::Result<ServerFacts> parse_discovery(Row row, std::int32_t backend_pid) {
  if (row.size() != kDiscoveryColumns)
    return not_postgres(fmt::format("the server answered discovery with {} columns instead of {}",
                                    row.size(), kDiscoveryColumns));
  ServerFacts facts;
  facts.version = TRY(parse_number(row, 0));
  facts.max_connections = TRY(parse_number(row, 1));
  facts.superuser_reserved = TRY(parse_number(row, 2));
  facts.reserved = TRY(parse_number(row, 3));
  facts.role_limit = TRY(parse_number(row, 4));
  facts.database_limit = TRY(parse_number(row, 5));
  facts.is_superuser = TRY(parse_bool(row, 6));
  facts.backend_pid = TRY(parse_number(row, 7));
  facts.others_total = TRY(parse_number(row, 8));
  facts.others_of_role = TRY(parse_number(row, 9));
  facts.others_in_database = TRY(parse_number(row, 10));
  facts.ours = TRY(parse_number(row, 11));
  facts.is_behind_pooler = facts.backend_pid != backend_pid;
  return facts;
}

}  // namespace pgweir::budget
