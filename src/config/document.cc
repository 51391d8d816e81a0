#include "config/document.h"

#include <algorithm>

namespace pgweir::config {

Section& Document::section(Scope scope, const std::string& name, const Place& place) {
  for (Section& known : sections) {
    if (known.scope == scope && known.name == name) return known;
  }
  return sections.emplace_back(Section{scope, name, place, {}, false});
}

bool Document::has_any(Scope scope) const {
  return std::any_of(sections.begin(), sections.end(),
                     [&](const Section& section) { return section.scope == scope; });
}

}  // namespace pgweir::config
