// Document: what a text says, before anybody asks what it means. Every syntax (url.h, toml.h,
// ini.h) becomes sections of assignments; assemble.h gives them a meaning by the settings table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/report.h"

namespace pgweir::config {

// Decides how a setting is called, what a bare number means and what the default is.
enum class Syntax : std::uint8_t { Url, Toml, Ini };

// What an assignment is about.
enum class Scope : std::uint8_t { Process, Database, User };

struct Assignment {
  std::string key;
  std::string
      value;  // May be a secret: goes into a mistake only if the setting is known to be none.
  Syntax syntax = Syntax::Toml;
  Place place;
};

struct Section {
  Scope scope = Scope::Process;
  std::string name;  // Of the database or user.
  Place place;
  std::vector<Assignment> assignments;  // As written; a later one of the same key wins.
  bool is_broken = false;  // Parts could not be read: what is missing is no further mistake.
};

struct Document {
  std::vector<Section> sections;

  // The first section of that scope and name; a new one at the end if there is none.
  Section& section(Scope scope, const std::string& name, const Place& place);
  bool has_any(Scope scope) const;
};

}  // namespace pgweir::config
