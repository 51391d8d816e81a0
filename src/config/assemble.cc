#include "config/assemble.h"

#include <algorithm>

#include "base/assert.h"
#include "config/codec.h"
#include "config/finish.h"
#include "config/number.h"
#include "config/settings.h"
#include "config/user_list.h"
#include "config/without_effect.h"

namespace pgweir::config {
namespace {

Input input_of(const Setting& setting, const Spelling& spelling, std::string_view text) {
  // White space is part of texts and passwords, and of nothing else; codecs that care trim.
  const bool is_zero = !spelling.zero.empty() && trim(text) == "0";
  return {.text = is_zero ? spelling.zero : text,
          .unit = spelling.unit,
          .number_min = setting.number_min,
          .number_max = setting.number_max};
}

class Assembler {
 public:
  Assembler(const AssembleOptions& options, Report& report) : options_(options), report_(report) {}

  Config run(Document document) {
    static_cast<Config&>(process_) = default_config(options_.defaults);
    for (const Section& section : document.sections) {
      if (section.scope == Scope::Process) {
        apply(section, &Setting::process, process_, process_.origins);
      }
    }
    read_auth_file(document);
    for (const Section& section : document.sections) {
      if (section.scope == Scope::Database) add_database(section);
    }
    for (const Section& section : document.sections) {
      if (section.scope == Scope::User) add_user(section);
    }
    if (options_.has_database_users) add_database_users();
    finish_process(process_, report_);
    return std::move(process_);
  }

 private:
  template <class Draft, class Value>
  void apply(const Section& section, Field<Draft, Value> Setting::*field, Draft& draft,
             Origins& origins) {
    for (const Assignment& one : section.assignments) {
      const Setting* setting = find_setting(one.syntax, section.scope, one.key);
      if (setting == nullptr) {
        handle_unknown(one, section.scope);
        continue;
      }
      const Input input = input_of(*setting, setting->spelling(one.syntax), one.value);
      const Complaint complaint = (setting->*field).parse(input, draft);
      if (complaint) report_.add_mistake(one.place, one.key, *complaint);
      if (!setting->note.empty()) report_.add_note(one.place, one.key, std::string(setting->note));
      origins[setting->name] = one.place;
    }
  }

  void handle_unknown(const Assignment& one, Scope scope) {
    const WithoutEffect* known = find_without_effect(one.syntax, scope, one.key);
    if (known == nullptr) {
      report_.add_mistake(one.place, one.key, describe_unknown(one.syntax, scope, one.key));
    } else if (known->refused == kAnyValue) {
      report_.add_mistake(one.place, one.key, std::string(known->instead));
    } else if (!known->refused.empty() && trim(one.value) == known->refused) {
      report_.add_mistake(one.place, one.key,
                          fmt::format("cannot be {} here: {}", known->refused, known->instead));
    } else {
      report_.add_note(one.place, one.key, std::string(known->instead));
    }
  }

  // Entries of the file come first, so that what [users] says of the same name wins.
  void read_auth_file(Document& document) {
    if (process_.auth_file.empty()) return;
    const Place place = process_.origins["auth_file"];
    const base::Result<std::string> text = options_.reader(process_.auth_file);
    if (!text) {
      report_.add_mistake(place, "auth_file", text.error().context);
      return;
    }
    Document users;
    parse_user_list(*text, process_.auth_file, users, report_);
    for (Section& user : users.sections) {
      Section& known = document.section(Scope::User, user.name, user.place);
      known.assignments.insert(known.assignments.begin(), user.assignments.begin(),
                               user.assignments.end());
    }
  }

  void add_database(const Section& section) {
    DatabaseDraft draft;
    static_cast<proxy::DatabaseOptions&>(draft) = process_.database_defaults;
    draft.name = section.name;
    Origins& origins = process_.database_origins[section.name];
    apply(section, &Setting::database, draft, origins);
    if (section.is_broken) return;
    std::string_view host_default;
    if (options_.defaults == Syntax::Ini) {
      host_default = process_.listen.unix_socket_dir;
      if (host_default.empty()) host_default = "/tmp";
    }
    finish_database(draft, {section.place, origins, host_default}, report_);
    places_.push_back(section.place);
    process_.proxy.databases.push_back(std::move(draft));
  }

  void add_user(const Section& section) {
    UserDraft draft;
    static_cast<proxy::UserOptions&>(draft) = process_.proxy.user_defaults;
    draft.name = section.name;
    apply(section, &Setting::user, draft, process_.user_origins[section.name]);
    process_.proxy.users.push_back(std::move(draft));
  }

  // With a URL per database there need be no list of users: who knows its user and password may
  // come in. An entry in the list of users goes first.
  void add_database_users() {
    const std::size_t listed_count = process_.proxy.users.size();
    for (std::size_t i = 0; i < process_.proxy.databases.size(); ++i) {
      const proxy::DatabaseOptions& database = process_.proxy.databases[i];
      if (!database.user.empty()) add_database_user(database, places_[i], listed_count);
    }
  }

  void add_database_user(const proxy::DatabaseOptions& database, const Place& place,
                         std::size_t listed_count) {
    auto& users = process_.proxy.users;
    const auto known = std::find_if(users.begin(), users.end(), [&](const proxy::UserOptions& one) {
      return one.name == database.user;
    });
    if (known == users.end()) {
      proxy::UserOptions user = process_.proxy.user_defaults;
      user.name = database.user;
      user.secret = database.password;
      users.push_back(std::move(user));
      return;
    }
    const bool is_listed = known - users.begin() < static_cast<std::ptrdiff_t>(listed_count);
    if (is_listed && known->secret.empty()) {
      known->secret = database.password;
    } else if (!is_listed && !known->secret.is_equal(database.password.reveal())) {
      report_.add_mistake(place, "password",
                          fmt::format("user {} has another password in another database; write "
                                      "[users.NAME] with the one that clients use",
                                      database.user));
    }
  }

  const AssembleOptions& options_;
  Report& report_;
  ProcessDraft process_;
  std::vector<Place> places_;  // Of each database.
};

}  // namespace

Config default_config(Syntax syntax) {
  ProcessDraft draft;
  draft.defaults = syntax;
  for (const SettingGroup& group : setting_groups()) {
    for (const Setting& setting : group.settings) {
      const Spelling& spelling = setting.spelling(syntax);
      if (!setting.process || !spelling.fallback) continue;
      const Input input = input_of(setting, spelling, *spelling.fallback);
      const Complaint complaint = setting.process.parse(input, draft);
      ASSERT(!complaint);  // The table itself is right.
    }
  }
  return draft;
}

Config assemble(Document document, const AssembleOptions& options, Report& report) {
  return Assembler(options, report).run(std::move(document));
}

}  // namespace pgweir::config
