#include "proxy/login_failure.h"

#include <fmt/format.h>

#include "wire/sqlstate.h"

namespace pgweir::proxy {
namespace {

bool is_of_class(std::string_view sqlstate, std::string_view two) {
  return sqlstate.substr(0, 2) == two;
}

}  // namespace

// By class, what we ask for is wrong: 0A a feature or protocol, 22 the value of a parameter, 28 who
// we are, 3D the database, 42 a parameter's name or a right that we lack. Of class 55, whose others
// are a lock or a use that ends, two: a database that takes no connections, a parameter that cannot
// be set. All else is the server's state and may pass: it starts, stops or is full (57, 53), broke
// down (58, XX) or is not there (08).
bool is_permanent(std::string_view sqlstate) {
  for (const std::string_view lasting : {"0A", "22", "28", "3D", "42"}) {
    if (is_of_class(sqlstate, lasting)) return true;
  }
  return sqlstate == wire::sqlstate::kProtocolViolation ||
         sqlstate == wire::sqlstate::kObjectNotInPrerequisiteState ||
         sqlstate == wire::sqlstate::kCannotChangeRuntimeParam;
}

std::string_view advice_on_login(std::string_view sqlstate) {
  if (is_of_class(sqlstate, "28")) {
    return "Check user and password in pgweir's configuration, and pg_hba.conf at the server.";
  }
  if (is_of_class(sqlstate, "3D")) return "Check the database's name in pgweir's configuration.";
  if (is_of_class(sqlstate, "08")) {
    return "Check the address and the TLS settings in pgweir's configuration.";
  }
  return "Check what pgweir's configuration says of this database: parameters, options, "
         "connect_query, and whether the role may connect to it.";
}

std::string outlook_on_login(std::string_view sqlstate, std::string_view role) {
  if (is_of_class(sqlstate, "08")) return "The server could not be reached; pgweir keeps trying.";
  return fmt::format("The server did not let \"{}\" in; pgweir keeps trying.", role);
}

}  // namespace pgweir::proxy
