// pgweir.toml: toml++ and what is made of its tree.
#include "config_target.h"
#include "fuzz_target.h"

namespace pgweir::fuzz {
namespace {

void fuzz_toml(base::Bytes input) {
  config::Sources sources;
  sources.file = config::ConfigFile{"pgweir.toml", std::string(base::as_text(input))};
  sources.reader = read_nothing;
  check_loading(sources);
}

const Registration kRegistered("toml", fuzz_toml);

}  // namespace
}  // namespace pgweir::fuzz
