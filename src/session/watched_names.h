// The names that give away a statement which does something to its session, wherever in the
// statement they stand: functions of PostgreSQL and of the extensions that it comes with.
// Source of truth: pg_proc.dat, and the pages of the manual's "Additional Supplied Modules".
#pragma once

#include <optional>
#include <string_view>

#include "session/pin_reason.h"

namespace pgweir::session {

// Why a statement pins that has this name in it; nullopt for nearly all names. name: in lower case.
std::optional<PinReason> reason_to_watch(std::string_view name);

// Whether a name, in whatever case, is watched for any reason or begins with "pg", as many of those
// do; set_config (set_config_call.h) is one of them.
bool may_be_watched(std::string_view name);

// pg_try_advisory_lock(…), pg_advisory_unlock(…) and the like. name: in lower case.
bool may_leave_no_lock(std::string_view name);

}  // namespace pgweir::session
