// Replays what is kept of each target's corpus, whole and cut at every byte. An input that broke
// something once belongs there under a name that says what it broke.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz_target.h"

namespace pgweir::fuzz {
namespace {

namespace fs = std::filesystem;

// Cutting a file of this size at every byte takes no time that anybody notices.
constexpr std::size_t kCutBytesMax = 2048;

base::ByteBuffer contents_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const base::Bytes bytes = base::as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

void replay(const Target& target, const base::ByteBuffer& input) {
  target.run(input);
  if (input.size() > kCutBytesMax) return;
  for (std::size_t cut = 0; cut < input.size(); ++cut) {
    // A copy of exactly this size lets the sanitizer see a read past its end.
    const base::ByteBuffer shorter(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(cut));
    target.run(shorter);
  }
}

TEST(CorpusTest, every_input_of_every_target_is_survived) {
  ASSERT_FALSE(targets().empty());
  for (const Target& target : targets()) {
    const fs::path folder = fs::path(PGWEIR_FUZZ_CORPUS) / target.name;
    ASSERT_TRUE(fs::is_directory(folder)) << folder;
    std::size_t input_count = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
      SCOPED_TRACE(entry.path().string());
      replay(target, contents_of(entry.path()));
      ++input_count;
    }
    EXPECT_GT(input_count, 0U) << folder;
  }
}

TEST(CorpusTest, every_folder_belongs_to_a_target) {
  for (const auto& entry : fs::directory_iterator(PGWEIR_FUZZ_CORPUS)) {
    const std::string name = entry.path().filename().string();
    EXPECT_TRUE(std::any_of(targets().begin(), targets().end(), [&name](const Target& target) {
      return target.name == name;
    })) << name;
  }
}

}  // namespace
}  // namespace pgweir::fuzz
