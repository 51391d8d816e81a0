// What only a C++ service that embeds the library has: the daemon's clients are other programs.
#include "config/fields.h"
#include "config/settings.h"

namespace pgweir::config {
namespace {

using L = LibraryOptions;
using enum Reload;
using enum Unit;

constexpr std::array kLibrary{
    Setting{.name = "leak_threshold",
            .reload = Restart,
            .url = {"leak_threshold", {}, Seconds},
            .process = at<&Config::library, &L::leak_threshold>(),
            .doc = "A connection that one caller has had for so long is reported; 0 = never."},
    Setting{.name = "ping_idle_after",
            .reload = Restart,
            .url = {"ping_idle_after", {}, Seconds},
            .process = at<&Config::library, &L::ping_idle_after>(),
            .doc = "A connection that nobody has used for so long is asked whether it is alive "
                   "before it is lent; 0 = never."},
    Setting{.name = "ping_timeout",
            .reload = Restart,
            .url = {"ping_timeout", {}, Seconds},
            .process = at<&Config::library, &L::ping_timeout>(),
            .doc = "For how long the answer to that is awaited; then another connection is taken."},
    Setting{.name = "warn_rows",
            .reload = Restart,
            .url = {"warn_rows"},
            .process = at<&Config::library, &L::row_count_warned>(),
            .doc = "A result with more rows is reported with the line that asked; 0 = none is."},
    Setting{.name = "max_rows",
            .reload = Restart,
            .url = {"max_rows"},
            .process = at<&Config::library, &L::row_count_max>(),
            .doc = "A statement that brings more rows is given up, unless the call says otherwise; "
                   "0 = none is."},
    Setting{.name = "max_bytes",
            .reload = Restart,
            .url = {"max_bytes"},
            .process = at<&Config::library, &L::result_bytes_max>(),
            .doc = "The same for the bytes of all values of a result; 0 = none are too many."},
    Setting{.name = "statement_cache_size",
            .reload = Restart,
            .url = {"statement_cache_size"},
            .process = at<&Config::library, &L::statement_count_max>(),
            .doc = "Each connection keeps so many statements prepared, those that came twice; the "
                   "least recently used makes room; 0 = none.",
            .note = "no effect: it is the client's own cache; see max_prepared_statements"},
    Setting{.name = "pgbouncer",
            .reload = Restart,
            .url = {"pgbouncer"},
            .process = at<&Config::library, &L::is_behind_pgbouncer>(),
            .doc = "Between the service and PostgreSQL is a pooler that forgets what a session has "
                   "set: nothing is prepared, and nothing is set at login that the URL does not "
                   "ask for.",
            .note = "no effect: prepared statements work through pgweir"},
};

}  // namespace

SettingGroup library_settings() { return {"Inside a C++ service", kLibrary}; }

}  // namespace pgweir::config
