#include "config/setting.h"

namespace pgweir::config {

const Spelling& Setting::spelling(Syntax syntax) const {
  switch (syntax) {
    case Syntax::Url: return url;
    case Syntax::Toml: return toml;
    case Syntax::Ini: return ini;
  }
  return toml;
}

std::string Setting::type() const {
  if (process) return process.type();
  if (database) return database.type();
  return user ? user.type() : std::string();
}

}  // namespace pgweir::config
