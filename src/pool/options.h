// What a pool may be told: sizes, waiting, lifetimes. Values only; how text becomes these values is
// config/settings.h, what they do is the pool's. Durations of zero mean "none".
#pragma once

#include <cstdint>

#include "base/time.h"

namespace pgweir::pool {

// The count that is no limit. A limit of 0 is a real one: nobody may connect.
inline constexpr std::uint32_t kUnlimited = UINT32_MAX;

// The caps above a pool: a permit is taken at every level. The server level's is found out by
// budget/ or set; the others are set, or read from datconnlimit and rolconnlimit.
struct Limits {
  std::uint32_t server_level = kUnlimited;    // All connections of this process to one server.
  std::uint32_t database_level = kUnlimited;  // Those of one database entry.
  std::uint32_t role_level = kUnlimited;      // Those that logged in as one role.

  friend bool operator==(const Limits&, const Limits&) = default;
};

// One pool: the servers of one database and user.
struct Options {
  std::uint32_t server_count_max = kUnlimited;  // Of this pool; the levels above hold all the same.
  std::uint32_t server_count_min = 0;           // Kept open although idle.
  std::uint32_t server_count_reserve = 0;       // Beyond server_count_max, after `reserve_after`.
  base::Duration reserve_after = std::chrono::seconds(5);  // How long a waiter waits for that.

  std::uint32_t waiter_count_max = 10'000;             // More are refused at once.
  base::Duration wait_max = std::chrono::seconds(30);  // Then the waiter is refused.
  base::Duration wait_notice_after = std::chrono::seconds(5);

  base::Duration server_lifetime = std::chrono::hours(1);  // Give or take jitter.
  base::Duration server_idle_max = std::chrono::minutes(10);

  std::uint32_t login_parallel_max = 8;  // Server logins under way at a time.
  base::Duration login_backoff_min = std::chrono::milliseconds(100);
  base::Duration login_backoff_max = std::chrono::seconds(5);

  friend bool operator==(const Options&, const Options&) = default;
};

}  // namespace pgweir::pool
