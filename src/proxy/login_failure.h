// LoginFailure: what it means that a login to a server did not come about: whether waiting helps,
// and what a client who wanted that server is told to do.
// Source of truth: PostgreSQL manual, appendix A; what InitPostgres() and ProcessStartupPacket()
// raise.
#pragma once

#include <string>
#include <string_view>

namespace pgweir::proxy {

// Whether the same StartupMessage will be refused again until somebody changes a configuration, so
// that nobody need wait.
bool is_permanent(std::string_view sqlstate);

// What to do about a permanent one.
std::string_view advice_on_login(std::string_view sqlstate);

// What goes on about one that may pass. role: as whom pgweir logs in.
std::string outlook_on_login(std::string_view sqlstate, std::string_view role);

}  // namespace pgweir::proxy
