#include "client/settings.h"

#include <algorithm>
#include <utility>

#include "config/connection_parameters.h"
#include "config/load.h"

namespace pgweir::client {
namespace {

// Prisma's formula; bounded, because a container shows all CPUs of its host.
constexpr std::uint32_t kLimitMin = 4;
constexpr std::uint32_t kLimitMax = 20;
constexpr std::uint32_t kWaitersPerServer = 16;
// What a transaction that somebody has forgotten may hold up, its locks and vacuum, ends then.
constexpr std::pair kForgottenTransactionMax{"idle_in_transaction_session_timeout", "60s"};

std::uint32_t default_limit(std::uint32_t cpu_count) {
  return std::clamp(2 * cpu_count + 1, kLimitMin, kLimitMax);
}

error_info explain(const std::vector<config::Mistake>& mistakes) {
  std::string text = "this database cannot be used as it is configured:";
  for (const config::Mistake& mistake : mistakes) text += "\n  " + mistake.line();
  return {.kind = error_kind::config, .text = std::move(text)};
}

}  // namespace

result<Settings> read_settings(std::string_view url, std::uint32_t cpu_count) {
  if (url.empty()) {
    return error_info{
        .kind = error_kind::config,
        .text = "no database is named: set DATABASE_URL, say postgresql://user@host/database"};
  }
  config::LoadResult loaded = config::load({.database_url = std::string(url)});
  if (!loaded.config) return explain(loaded.mistakes);
  config::Config& config = *loaded.config;
  Settings settings{
      .database = std::move(config.proxy.databases.at(0)), .pool = {}, .library = config.library};
  pool::Options& pool = settings.pool.pool;
  pool = settings.database.pool;
  settings.acquire_timeout = pool.wait_max;
  auto& parameters = settings.database.startup_parameters;
  const bool is_told = std::any_of(parameters.begin(), parameters.end(), [](const auto& one) {
    return one.first == kForgottenTransactionMax.first;
  });
  if (!is_told && !config.library.is_behind_pgbouncer)
    parameters.emplace_back(kForgottenTransactionMax);
  const pool::Options untold;
  const bool has_limit = config.budget.connection_limit != 0;
  settings.is_limit_told = has_limit || pool.server_count_max != untold.server_count_max;
  settings.is_line_told = pool.waiter_count_max != untold.waiter_count_max;
  pool =
      with_limit(settings, has_limit ? config.budget.connection_limit : default_limit(cpu_count));
  return settings;
}

pool::Options with_limit(const Settings& settings, std::uint32_t limit) {
  pool::Options pool = settings.pool.pool;
  pool.server_count_max = std::min(pool.server_count_max, limit);
  if (!settings.is_line_told) pool.waiter_count_max = kWaitersPerServer * limit;
  pool.login_parallel_max = std::min(pool.login_parallel_max, std::min(4U, limit));
  return pool;
}

std::string describe(const Settings& settings) {
  return settings.database.user + "@" + config::describe_hosts(settings.database) + "/" +
         config::service_database(settings.database);
}

}  // namespace pgweir::client
