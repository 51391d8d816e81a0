#include "budget/discovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace pgweir::budget {

// Where backend_type can be seen it tells parallel workers and walsenders apart, which take no slot
// of max_connections; where it cannot, they are counted as clients, which errs to the safe side.
// Superusers are held to no limit of their role. Names travel as the hexadecimal digits of their
// bytes, since they may hold anything.
const std::string_view kDiscoverySql = R"sql(
WITH client AS MATERIALIZED (
  SELECT usesysid, datid,
         pid = ANY ($1::pg_catalog.int4[]) OR pid = pg_catalog.pg_backend_pid() AS is_ours
    FROM pg_catalog.pg_stat_activity
   WHERE datid IS NOT NULL AND usesysid IS NOT NULL
     AND coalesce(backend_type, 'client backend') = 'client backend'),
role AS (
  SELECT r.rolname AS name, r.rolconnlimit AS count_max,
         count(*) FILTER (WHERE NOT c.is_ours) AS others, count(*) FILTER (WHERE c.is_ours) AS ours
    FROM pg_catalog.pg_roles r LEFT JOIN client c ON c.usesysid = r.oid
   WHERE r.rolconnlimit >= 0 AND NOT r.rolsuper
   GROUP BY 1, 2),
database AS (
  SELECT d.datname AS name, d.datconnlimit AS count_max,
         count(*) FILTER (WHERE NOT c.is_ours) AS others, count(*) FILTER (WHERE c.is_ours) AS ours
    FROM pg_catalog.pg_database d LEFT JOIN client c ON c.datid = d.oid
   WHERE d.datconnlimit >= 0
   GROUP BY 1, 2)
SELECT pg_catalog.current_setting('server_version_num'),
       pg_catalog.current_setting('max_connections'),
       pg_catalog.current_setting('superuser_reserved_connections'),
       coalesce(nullif(pg_catalog.current_setting('reserved_connections', true), ''), '0'),
       (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user),
       pg_catalog.pg_backend_pid(),
       (SELECT count(*) FROM client WHERE NOT is_ours),
       (SELECT count(*) FROM client WHERE is_ours),
       (SELECT pg_catalog.string_agg(
                 pg_catalog.concat_ws(':', pg_catalog.encode(pg_catalog.namesend(name), 'hex'),
                                      count_max, others, ours), ',') FROM role),
       (SELECT pg_catalog.string_agg(
                 pg_catalog.concat_ws(':', pg_catalog.encode(pg_catalog.namesend(name), 'hex'),
                                      count_max, others, ours), ',') FROM database))sql";

namespace {

using Row = std::span<const std::optional<std::string_view>>;

constexpr std::array<std::string_view, kDiscoveryColumns> kColumnNames{
    "server_version_num",
    "max_connections",
    "superuser_reserved_connections",
    "reserved_connections",
    "rolsuper",
    "pg_backend_pid",
    "others",
    "ours",
    "limits of roles",
    "limits of databases"};

base::Error not_postgres(std::string context) {
  return {.code = base::ErrorCode::Unsupported,
          .side = base::Side::Server,
          .context = std::move(context)};
}

base::Error bad_column(std::size_t column, std::string_view text) {
  return not_postgres(fmt::format("the server's {} is '{}', which PostgreSQL would not say",
                                  kColumnNames[column], text.substr(0, 40)));
}

template <class Number>
bool read_number(std::string_view text, Number& number, int radix = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, radix);
  return error == std::errc() && end == text.data() + text.size();
}

base::Result<std::int64_t> parse_number(Row row, std::size_t column) {
  const std::string_view text = row[column].value_or("NULL");
  std::int64_t value = 0;
  if (!read_number(text, value)) return bad_column(column, text);
  return value;
}

// Takes the text before `separator`, or all there is.
std::string_view take(std::string_view& rest, char separator) {
  const std::size_t length = std::min(rest.find(separator), rest.size());
  const std::string_view taken = rest.substr(0, length);
  rest.remove_prefix(std::min(length + 1, rest.size()));
  return taken;
}

bool read_name(std::string_view digits, std::string& name) {
  if (digits.empty() || digits.size() % 2 != 0) return false;
  for (; !digits.empty(); digits.remove_prefix(2)) {
    std::uint8_t byte = 0;
    if (!read_number(digits.substr(0, 2), byte, 16)) return false;
    name.push_back(static_cast<char>(byte));
  }
  return true;
}

// "<name>:<limit>:<others>:<ours>,…"; NULL where nothing has a limit.
base::Result<std::vector<LevelFacts>> parse_levels(Row row, std::size_t column) {
  std::vector<LevelFacts> levels;
  std::string_view rest = row[column].value_or("");
  while (!rest.empty()) {
    const std::string_view text = take(rest, ',');
    std::string_view fields = text;
    LevelFacts level;
    if (!read_name(take(fields, ':'), level.name) || !read_number(take(fields, ':'), level.limit) ||
        !read_number(take(fields, ':'), level.others) || !read_number(fields, level.ours)) {
      return bad_column(column, text);
    }
    levels.push_back(std::move(level));
  }
  return levels;
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
  facts.is_superuser = TRY(parse_bool(row, 4));
  facts.backend_pid = TRY(parse_number(row, 5));
  facts.others_total = TRY(parse_number(row, 6));
  facts.ours = TRY(parse_number(row, 7));
  facts.roles = TRY(parse_levels(row, 8));
  facts.databases = TRY(parse_levels(row, 9));
  facts.is_behind_pooler = facts.backend_pid != backend_pid;
  return facts;
}

}  // namespace pgweir::budget
