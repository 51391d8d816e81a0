// pgbouncer.ini: sections, quoting, connection strings.
#include "config_target.h"
#include "fuzz_target.h"

namespace pgweir::fuzz {
namespace {

void fuzz_ini(base::Bytes input) {
  config::Sources sources;
  sources.file = config::ConfigFile{"pgbouncer.ini", std::string(base::as_text(input))};
  sources.reader = read_nothing;
  check_loading(sources);
}

const Registration kRegistered("ini", fuzz_ini);

}  // namespace
}  // namespace pgweir::fuzz
