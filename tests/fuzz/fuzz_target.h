// Target: one parser or machine under fuzzing, a function `void fuzz_<name>(base::Bytes)` in
// <name>_fuzz.cc that must return for any input. Each is a libFuzzer binary of its own in a
// PGWEIR_FUZZ build, and in every build corpus_test.cc replays tests/fuzz/corpus/<name>/*.
#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace pgweir::fuzz {

struct Target {
  std::string_view name;
  void (*run)(base::Bytes input);
};

// The targets linked into this program.
inline std::vector<Target>& targets() {
  static std::vector<Target> all;
  return all;
}

// Makes a target known: `const Registration kRegistered("frame", fuzz_frame);` in its file.
class Registration {
 public:
  Registration(std::string_view name, void (*run)(base::Bytes)) {
    targets().push_back({name, run});
  }
};

// Takes the input up to the next '\n' and passes over it: how a target gets several messages.
inline base::Bytes take_line(base::Bytes& input) {
  const std::string_view text = base::as_text(input);
  const std::size_t end = text.find('\n');
  const base::Bytes line = input.first(end == std::string_view::npos ? input.size() : end);
  input = input.subspan(end == std::string_view::npos ? input.size() : end + 1);
  return line;
}

}  // namespace pgweir::fuzz
