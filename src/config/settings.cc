#include "config/settings.h"

#include "config/nearest_name.h"

namespace pgweir::config {
namespace {

template <class Visit>
void for_each_setting(Visit visit) {
  for (const SettingGroup& group : setting_groups()) {
    for (const Setting& setting : group.settings) visit(setting);
  }
}

std::string_view noun_of(Syntax syntax) { return syntax == Syntax::Url ? "parameter" : "setting"; }

std::string_view place_of(Scope scope) {
  switch (scope) {
    case Scope::Process: return "the whole process";
    case Scope::Database: return "a database";
    case Scope::User: return "a user";
  }
  return {};
}

// A URL is about a database and about the process that it is given to.
bool is_visible(const Setting& setting, Syntax syntax, Scope scope) {
  return has_scope(setting, scope) ||
         (syntax == Syntax::Url && scope == Scope::Process && has_scope(setting, Scope::Database));
}

}  // namespace

std::span<const SettingGroup> setting_groups() {
  static const std::array kGroups{
      server_settings(),  server_tls_settings(), pool_settings(),    client_settings(),
      session_settings(), listen_settings(),     process_settings(), library_settings(),
  };
  return kGroups;
}

bool has_scope(const Setting& setting, Scope scope) {
  switch (scope) {
    case Scope::Process: return bool(setting.process);
    case Scope::Database: return bool(setting.database);
    case Scope::User: return bool(setting.user);
  }
  return false;
}

const Setting* find_setting(Syntax syntax, Scope scope, std::string_view key) {
  const Setting* found = nullptr;
  if (key.empty()) return found;
  for_each_setting([&](const Setting& setting) {
    if (setting.spelling(syntax).key == key && has_scope(setting, scope)) found = &setting;
  });
  return found;
}

std::string describe_unknown(Syntax syntax, Scope scope, std::string_view key) {
  const std::string unknown = fmt::format("unknown {}", noun_of(syntax));
  std::string elsewhere;
  std::vector<std::string_view> candidates;
  for_each_setting([&](const Setting& setting) {
    const std::string_view here = setting.spelling(syntax).key;
    if (here.empty()) return;
    if (!is_visible(setting, syntax, scope)) {
      const Scope owner =
          setting.process ? Scope::Process : (setting.database ? Scope::Database : Scope::User);
      if (here == key)
        elsewhere = fmt::format("{} here; it belongs to {}", unknown, place_of(owner));
      return;
    }
    candidates.push_back(here);
    for (const Spelling* other : {&setting.url, &setting.toml, &setting.ini}) {
      if (other->key == key) elsewhere = fmt::format("{}; it is called {} here", unknown, here);
    }
  });
  if (!elsewhere.empty()) return elsewhere;
  const std::string_view near = nearest_name(key, candidates);
  return near.empty() ? unknown : fmt::format("{}; did you mean {}?", unknown, near);
}

}  // namespace pgweir::config
