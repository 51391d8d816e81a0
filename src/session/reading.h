// Reading: the settings of a session that decide what a text means when the server parses it.
// PostgreSQL turns literals into values then ('01/02/2024'::date by DateStyle) and keeps those in
// the prepared statement, so two clients may share one only if they read alike. What follows a
// setting later is not among these: a plan is made anew when search_path or role changes
// (RevalidateCachedQuery).
#pragma once

#include <string>
#include <string_view>

#include "session/parameters.h"

namespace pgweir::session {

// Whether this setting, under whatever spelling, is one of them.
bool decides_reading(std::string_view name);

// Appends what sets of parameters that read alike have in common; nothing for the defaults.
void append_reading(const ParameterSet& parameters, std::string& out);

}  // namespace pgweir::session
