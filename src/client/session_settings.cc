#include "client/session_settings.h"

#include <string_view>

namespace pgweir::client {
namespace {

// What times are read as (pgweir/values/times.hpp). The server says by itself what it has, and
// mostly it is that.
bool writes_iso_dates(const PGconn* connection) {
  const char* style = PQparameterStatus(connection, "DateStyle");
  return style != nullptr && std::string_view(style).starts_with("ISO");
}

}  // namespace

// By statements and not in the startup message: a pooler between here and the server may refuse
// what it does not know there, and keeps what is SET. `options` has been sent.
SessionSettings::SessionSettings(const proxy::DatabaseOptions& database) : database_(database) {
  for (const auto& [name, value] : database.startup_parameters) {
    if (name == "options" || name == "application_name") continue;
    set_parameters_ += values_.empty() ? "select " : ", ";
    set_parameters_ += "set_config($" + std::to_string(values_.size() + 1) + "::text, $" +
                       std::to_string(values_.size() + 2) + "::text, false)";
    values_.push_back(name.c_str());
    values_.push_back(value.c_str());
  }
}

std::vector<Statement> SessionSettings::statements_for(const PGconn* connection) const {
  std::vector<Statement> all;
  if (!values_.empty()) all.push_back({.text = set_parameters_.c_str(), .values = values_});
  if (!writes_iso_dates(connection)) all.push_back({.text = "set datestyle = 'ISO'"});
  if (!database_.connect_query.empty()) all.push_back({.text = database_.connect_query.c_str()});
  return all;
}

}  // namespace pgweir::client
