#include "config/load.h"

#include <algorithm>

#include "config/assemble.h"
#include "config/nearest_name.h"
#include "config/settings.h"
#include "config/toml.h"
#include "config/url.h"

namespace pgweir::config {
namespace {

constexpr std::string_view kUrlName = "DATABASE_URL";

bool is_ini(const std::string& path) { return path.ends_with(".ini"); }

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || is_same_name(address, "localhost");
}

const Assignment* last_of(const std::vector<Assignment>& all, std::string_view key) {
  const Assignment* found = nullptr;
  for (const Assignment& one : all) {
    if (one.key == key && !one.value.empty()) found = &one;
  }
  return found;
}

class Loader {
 public:
  explicit Loader(const Sources& sources) : sources_(sources) {}

  LoadResult run() {
    read_file();
    read_url();
    read_environment();
    read_options();
    check_databases();
    AssembleOptions options;
    options.defaults = defaults();
    options.has_database_users = options.defaults != Syntax::Ini;
    options.reader = sources_.reader;
    Config config = assemble(std::move(document_), options, report_);
    check_open_door(config);

    LoadResult result;
    result.mistakes = std::move(report_.mistakes);
    result.notes = std::move(report_.notes);
    if (!result.mistakes.empty()) return result;
    config.notes = result.notes;
    result.config = std::move(config);
    return result;
  }

 private:
  Syntax defaults() const {
    if (!sources_.file) return sources_.database_url ? Syntax::Url : Syntax::Toml;
    return is_ini(sources_.file->path) ? Syntax::Ini : Syntax::Toml;
  }

  std::vector<Assignment>& process() {
    return document_.section(Scope::Process, "", {}).assignments;
  }

  void read_file() {
    if (!sources_.file) return;
    const auto& [path, contents] = *sources_.file;
    document_ = is_ini(path) ? parse_ini(contents, path, sources_.reader, report_)
                             : parse_toml(contents, path, report_);
  }

  // Alone it is enough: one database of its name, one user with its password.
  void read_url() {
    if (!sources_.database_url) return;
    const Place place{std::string(kUrlName), 0};
    if (document_.has_any(Scope::Database)) {
      report_.add_note(place, "", "is not used, since " + sources_.file->path + " names databases");
      return;
    }
    const std::size_t mistake_count = report_.mistakes.size();
    const std::vector<Assignment> parts = parse_url(*sources_.database_url, place, report_);
    const bool is_broken = report_.mistakes.size() > mistake_count;
    if (!is_broken) check_login(parts, place);

    process();  // Before the reference below, which a new section would spoil.
    const Assignment* name = last_of(parts, "dbname");
    if (name == nullptr) name = last_of(parts, "user");
    Section& database =
        document_.section(Scope::Database, name == nullptr ? std::string() : name->value, place);
    database.is_broken = is_broken;
    for (const Assignment& part : parts) place_part(part, database);
  }

  void check_login(const std::vector<Assignment>& parts, const Place& place) {
    if (last_of(parts, "user") == nullptr) {
      report_.add_mistake(place, "user", "is missing; expected postgresql://user:password@…");
    } else if (last_of(parts, "dbname") == nullptr) {
      report_.add_note(place, "dbname", "is missing; it is the user's name then, as in libpq");
    }
    has_open_door_ = last_of(parts, "password") == nullptr;
    if (has_open_door_) {
      process().insert(process().begin(), {"auth_type", "trust", Syntax::Toml, place});
    }
  }

  // What is about the whole process goes there; the one database has it from there.
  void place_part(const Assignment& part, Section& database) {
    const bool is_process = find_setting(Syntax::Url, Scope::Process, part.key) != nullptr;
    const bool is_database = find_setting(Syntax::Url, Scope::Database, part.key) != nullptr;
    if (is_process || !is_database) {
      process().push_back(part);
    } else {
      database.assignments.push_back(part);
    }
  }

  // Only exact names: Kubernetes, for one, invents PGWEIR_PORT for a service called pgweir.
  void read_environment() {
    constexpr std::string_view kPrefix = "PGWEIR_";
    for (const auto& [name, value] : sources_.environment) {
      if (!name.starts_with(kPrefix)) continue;
      std::string key = name.substr(kPrefix.size());
      std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
      });
      if (find_setting(Syntax::Toml, Scope::Process, key) == nullptr) {
        report_.add_note({name, 0}, "", "is not the name of a setting; it is not used");
      } else {
        process().push_back({std::move(key), value, Syntax::Toml, {name, 0}});
      }
    }
  }

  void read_options() {
    for (const auto& [name, value] : sources_.options) {
      const Place place{"--" + name, 0};
      if (name == "listen") {
        read_listen(value, place);
      } else {
        process().push_back({name, value, Syntax::Toml, place});
      }
    }
  }

  // ADDR:PORT, as --http has it, where an empty address means all.
  void read_listen(const std::string& value, const Place& place) {
    HttpAddress address;
    if (Codec<HttpAddress>::parse({.text = value}, address) || address.is_off()) {
      report_.add_mistake(place, "",
                          *complain("address:port such as 127.0.0.1:6432 or [::1]:6432", value));
      return;
    }
    process().push_back({"listen_addr", address.host, Syntax::Toml, place});
    process().push_back({"listen_port", std::to_string(address.port), Syntax::Toml, place});
  }

  void check_databases() {
    // A file that is no TOML may have named some.
    if (document_.has_any(Scope::Database) || !report_.mistakes.empty()) return;
    report_.add_mistake({sources_.file ? sources_.file->path : "", 0}, "",
                        "no database; set DATABASE_URL=postgresql://user:password@host:5432/dbname "
                        "or name one in the configuration file");
  }

  // A URL without a password lets clients in without one: fine at home, not on a network, unless
  // somebody said so in as many words.
  void check_open_door(const Config& config) {
    const auto origin = config.origins.find("auth_type");
    if (!has_open_door_ || origin == config.origins.end()) return;
    if (origin->second.source != kUrlName) return;
    const auto& all = config.listen.addresses;
    if (std::all_of(all.begin(), all.end(), is_loopback)) {
      report_.add_note(origin->second, "", "has no password, so clients need none");
    } else {
      report_.add_mistake(origin->second, "",
                          "has no password, so clients would need none either, from anywhere; set "
                          "auth_type = \"trust\" if that is meant, or listen on 127.0.0.1");
    }
  }

  const Sources& sources_;
  Report report_;
  Document document_;
  bool has_open_door_ = false;
};

}  // namespace

LoadResult load(const Sources& sources) { return Loader(sources).run(); }

}  // namespace pgweir::config
