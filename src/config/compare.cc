#include "config/compare.h"

#include <algorithm>

#include "config/settings.h"

namespace pgweir::config {
namespace {

template <class Draft, class Value>
void compare_values(const std::string& prefix, const Value& before, const Value& after,
                    Field<Draft, Value> Setting::*field, std::vector<Change>& changes) {
  for (const SettingGroup& group : setting_groups()) {
    for (const Setting& setting : group.settings) {
      const auto& value = setting.*field;
      if (!value || value.is_equal(before, after)) continue;
      changes.push_back({Change::Kind::Changed, prefix + std::string(setting.name),
                         value.render(before), value.render(after), setting.reload});
    }
  }
}

template <class Entry>
const Entry* find_entry(const std::vector<Entry>& all, const std::string& name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Entry& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

// An entry that is new or gone concerns those who connect from now on.
template <class Draft, class Entry>
void compare_entries(const std::string& title, const std::vector<Entry>& before,
                     const std::vector<Entry>& after, Field<Draft, Entry> Setting::*field,
                     std::vector<Change>& changes) {
  const auto add = [&](Change::Kind kind, const Entry& entry) {
    changes.push_back({kind, title + entry.name, "", "", Reload::NewConnections});
  };
  for (const Entry& old : before) {
    if (find_entry(after, old.name) == nullptr) add(Change::Kind::Removed, old);
  }
  for (const Entry& fresh : after) {
    const Entry* old = find_entry(before, fresh.name);
    if (old == nullptr) {
      add(Change::Kind::Added, fresh);
    } else {
      compare_values(title + fresh.name + ".", *old, fresh, field, changes);
    }
  }
}

}  // namespace

std::vector<Change> compare(const Config& before, const Config& after) {
  std::vector<Change> changes;
  compare_values("", before, after, &Setting::process, changes);
  compare_entries("databases.", before.proxy.databases, after.proxy.databases, &Setting::database,
                  changes);
  compare_entries("users.", before.proxy.users, after.proxy.users, &Setting::user, changes);
  return changes;
}

}  // namespace pgweir::config
