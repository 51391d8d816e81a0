#include "client/census.h"

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "client/events.h"

namespace pgweir::client {
namespace {

struct Entry {
  const Database* database;
  std::string name;
  code_location where;
};

std::mutex mutex;

// Never destroyed: pools of static lifetime may go after it would.
std::vector<Entry>& entries() {
  static auto* const all = new std::vector<Entry>();
  return *all;
}

}  // namespace

void note_pool(Database& database, const code_location& where) {
  const std::string name = describe(database.settings());
  std::string first;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    std::vector<Entry>& all = entries();
    const auto found = std::find_if(all.begin(), all.end(), [&](const Entry& entry) {
      return entry.name == name && !entry.database->is_of_parent();
    });
    if (found != all.end()) first = text_of(found->where);
    all.push_back({.database = &database, .name = name, .where = where});
  }
  if (first.empty()) return;
  database.log().event(kSecondPool, {obs::kv("database", name), obs::kv("at", text_of(where)),
                                     obs::kv("first_at", first)});
}

void forget_pool(const Database& database) {
  const std::lock_guard<std::mutex> lock(mutex);
  std::erase_if(entries(), [&](const Entry& entry) { return entry.database == &database; });
}

}  // namespace pgweir::client
