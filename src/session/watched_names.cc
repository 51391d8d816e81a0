#include "session/watched_names.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "session/ascii_case.h"
#include "session/temporary_schema.h"

namespace pgweir::session {

namespace {

constexpr std::string_view kSetConfig = "set_config";

struct WatchedName {
  std::string_view name;
  PinReason reason;
};

constexpr std::array kWatchedNames = {
    WatchedName{"pg_advisory_lock", PinReason::AdvisoryLock},
    WatchedName{"pg_advisory_lock_shared", PinReason::AdvisoryLock},
    WatchedName{"pg_try_advisory_lock", PinReason::AdvisoryLock},
    WatchedName{"pg_try_advisory_lock_shared", PinReason::AdvisoryLock},
    WatchedName{"currval", PinReason::SequenceValue},
    WatchedName{"lastval", PinReason::SequenceValue},
    WatchedName{"setseed", PinReason::RandomSeed},
    WatchedName{"set_limit", PinReason::SetConfig},  // Of pg_trgm.
    WatchedName{"dblink_connect", PinReason::RemoteConnection},
    WatchedName{"dblink_connect_u", PinReason::RemoteConnection},
    WatchedName{"pg_backup_start", PinReason::SessionBoundFunction},
    WatchedName{"pg_start_backup", PinReason::SessionBoundFunction},
    WatchedName{"pg_create_logical_replication_slot", PinReason::SessionBoundFunction},
    WatchedName{"pg_create_physical_replication_slot", PinReason::SessionBoundFunction},
    WatchedName{"pg_copy_logical_replication_slot", PinReason::SessionBoundFunction},
    WatchedName{"pg_copy_physical_replication_slot", PinReason::SessionBoundFunction},
    WatchedName{"pg_replication_origin_session_setup", PinReason::SessionBoundFunction},
    WatchedName{"hypopg_create_index", PinReason::SessionBoundFunction},
    WatchedName{"hypopg_hide_index", PinReason::SessionBoundFunction},
    WatchedName{"isn_weak", PinReason::SessionBoundFunction},
    WatchedName{"sepgsql_setcon", PinReason::SessionBoundFunction},
    // They run SQL that stands in a string.
    WatchedName{"query_to_xml", PinReason::NotUnderstood},
    WatchedName{"query_to_xmlschema", PinReason::NotUnderstood},
    WatchedName{"query_to_xml_and_xmlschema", PinReason::NotUnderstood},
    WatchedName{"ts_stat", PinReason::NotUnderstood},
    WatchedName{"ts_rewrite", PinReason::NotUnderstood},
    WatchedName{"crosstab", PinReason::NotUnderstood},
    WatchedName{"crosstab2", PinReason::NotUnderstood},
    WatchedName{"crosstab3", PinReason::NotUnderstood},
    WatchedName{"crosstab4", PinReason::NotUnderstood},
    WatchedName{"connectby", PinReason::NotUnderstood},
    WatchedName{"xpath_table", PinReason::NotUnderstood},
};

// For each first letter the lengths that are watched, one bit for each.
constexpr std::array<std::uint64_t, 256> make_lengths() {
  std::array<std::uint64_t, 256> lengths{};
  for (const WatchedName& watched : kWatchedNames) {
    lengths[static_cast<unsigned char>(watched.name.front())] |= std::uint64_t{1}
                                                                 << watched.name.size();
  }
  lengths['s'] |= std::uint64_t{1} << kSetConfig.size();
  return lengths;
}

constexpr std::array<std::uint64_t, 256> kLengths = make_lengths();

bool has_watched_length(std::string_view name) {
  return !name.empty() && name.size() < 64 &&
         ((kLengths[static_cast<unsigned char>(fold(name.front()))] >> name.size()) & 1U) != 0;
}

// A statement that pgweir has prepared (statement_table.h), perhaps for somebody else.
bool is_prepared_by_us(std::string_view name) {
  return name.size() == 23 && name.starts_with("pgweir_") &&
         name.find_first_not_of("0123456789abcdef", 7) == name.npos;
}

}  // namespace

bool may_be_watched(std::string_view name) {
  const bool is_pg = name.size() >= 2 && fold(name[0]) == 'p' && fold(name[1]) == 'g';
  if (is_pg || !has_watched_length(name)) return is_pg;
  std::array<char, 64> bytes{};  // Longer ones were turned away.
  std::transform(name.begin(), name.end(), bytes.begin(), fold);
  const std::string_view lower(bytes.data(), name.size());
  return lower == kSetConfig || reason_to_watch(lower).has_value();
}

std::optional<PinReason> reason_to_watch(std::string_view name) {
  if (name.starts_with("pg")) {
    if (is_temporary_schema(name)) return PinReason::TemporaryObject;
    if (is_prepared_by_us(name)) return PinReason::NotUnderstood;
  }
  if (!has_watched_length(name)) return std::nullopt;  // Most names end here.
  const auto* const found = std::find_if(kWatchedNames.begin(), kWatchedNames.end(),
                                         [&](const auto& watched) { return watched.name == name; });
  if (found == kWatchedNames.end()) return std::nullopt;
  return found->reason;
}

bool may_leave_no_lock(std::string_view name) {
  return name.starts_with("pg_try_advisory_lock") || name.starts_with("pg_advisory_unlock");
}

}  // namespace pgweir::session
