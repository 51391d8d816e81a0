// Reads a PostgreSQL URL as libpq does: "postgresql://user:password@host:port,…/dbname?key=value".
// Syntax only; what a parameter means is the settings table's. Mistakes never quote the URL, since
// a URL that cannot be read may have its password anywhere.
#pragma once

#include <string_view>
#include <vector>

#include "config/document.h"

namespace pgweir::config {

// The parts of the URL as assignments (host, port, user, password, dbname, then the parameters in
// their order), percent-decoded; lists of hosts and ports are joined with commas as libpq has them.
// Adds what is wrong to `report`; the assignments are then of no use.
std::vector<Assignment> parse_url(std::string_view text, const Place& place, Report& report);

}  // namespace pgweir::config
