// DATABASE_URL, from its scheme to its last parameter.
#include "config_target.h"
#include "fuzz_target.h"

namespace pgweir::fuzz {
namespace {

// A password that no key, host or number contains must not show up in a mistake or a note.
constexpr std::string_view kPassword = "zyxwvutsrq";

void check_secrecy(const config::LoadResult& result) {
  for (const auto* remarks : {&result.mistakes, &result.notes}) {
    for (const config::Remark& remark : *remarks) {
      ASSERT(remark.line().find(kPassword) == std::string::npos);
    }
  }
}

void fuzz_url(base::Bytes input) {
  const std::string text(base::as_text(input));
  config::Sources sources;
  sources.database_url = text;
  check_loading(sources);
  if (text.find(kPassword) != std::string::npos) return;
  sources.database_url = "postgres://user:" + std::string(kPassword) + text;
  check_secrecy(config::load(sources));
}

const Registration kRegistered("url", fuzz_url);

}  // namespace
}  // namespace pgweir::fuzz
