// Report: what there is to say about a configuration. Mistakes stop the start and are shown all at
// once; notes say what pgweir does where that may surprise. Texts never hold a secret.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::config {

// Where something was written: "pgweir.toml:12", "DATABASE_URL", "--listen".
struct Place {
  std::string source;
  std::uint32_t line = 0;  // From 1; 0 = the source has no lines.

  std::string text() const;
  friend bool operator==(const Place&, const Place&) = default;
};

struct Remark {
  Place place;
  std::string key;   // The setting as it was written; may be empty.
  std::string what;  // Goes on where "key:" stops.

  // "pgweir.toml:12: pool_mod: unknown setting; did you mean pool_mode?"
  std::string line() const;
};
using Mistake = Remark;
using Note = Remark;

struct Report {
  std::vector<Mistake> mistakes;
  std::vector<Note> notes;

  void add_mistake(Place place, std::string_view key, std::string what);
  void add_note(Place place, std::string_view key, std::string what);
};

}  // namespace pgweir::config
