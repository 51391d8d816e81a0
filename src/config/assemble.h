// Assemble: from what texts say (Document) to what it means (Config), by the settings table.
#pragma once

#include "config/config.h"
#include "config/document.h"
#include "config/ini.h"

namespace pgweir::config {

struct AssembleOptions {
  Syntax defaults = Syntax::Toml;  // Whose defaults hold where nothing is written.
  bool has_database_users = true;  // The user of a database may log in as a client, too.
  FileReader reader;               // For auth_file.
};

// What holds where nothing is written, and nothing else: it has no database.
Config default_config(Syntax syntax);

// Adds every mistake to `report`; the Config is complete and consistent only if there is none.
Config assemble(Document document, const AssembleOptions& options, Report& report);

}  // namespace pgweir::config
