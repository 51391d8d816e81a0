#include "session/name_map.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/rng.h"

namespace pgweir::session {
namespace {

constexpr StatementId kNone{};

TEST(NameMapTest, an_empty_map_knows_nothing) {
  NameMap map;
  EXPECT_EQ(map.size(), 0U);
  EXPECT_EQ(map.find("a"), kNone);
  EXPECT_EQ(map.find(""), kNone);
  map.erase("a");
  EXPECT_EQ(map.size(), 0U);
}

TEST(NameMapTest, a_name_stands_for_what_it_was_set_to_last) {
  NameMap map;
  map.set("a", StatementId{1});
  map.set("b", StatementId{2});
  map.set("a", StatementId{3});
  EXPECT_EQ(map.size(), 2U);
  EXPECT_EQ(map.find("a"), StatementId{3});
  EXPECT_EQ(map.find("b"), StatementId{2});
  EXPECT_EQ(map.find("ab"), kNone);
  map.erase("a");
  EXPECT_EQ(map.find("a"), kNone);
  EXPECT_EQ(map.find("b"), StatementId{2});
}

TEST(NameMapTest, names_may_hold_any_bytes) {
  NameMap map;
  const std::string zero("a\0b", 3);
  map.set(zero, StatementId{1});
  map.set(std::string(70'000, 'x'), StatementId{2});
  EXPECT_EQ(map.find(zero), StatementId{1});
  EXPECT_EQ(map.find("a"), kNone);
  EXPECT_EQ(map.find(std::string(70'000, 'x')), StatementId{2});
}

// Few names, so that they are set, replaced and erased often, and places are used again.
TEST(NameMapTest, any_changes_agree_with_a_map_of_the_standard) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    base::Rng rng(seed);
    NameMap map;
    std::map<std::string, StatementId, std::less<>> model;
    const std::uint64_t name_count = 1 + rng.below(60);
    for (int i = 0; i < 2'000; ++i) {
      const std::string name(1 + rng.below(3) * 20, static_cast<char>('0' + rng.below(name_count)));
      if (rng.chance(0.5)) {
        const StatementId id{static_cast<std::uint32_t>(1 + rng.below(1000))};
        map.set(name, id);
        model[name] = id;
      } else if (rng.chance(0.98)) {
        map.erase(name);
        model.erase(name);
      } else {
        map.clear();
        model.clear();
      }
      ASSERT_EQ(map.size(), model.size());
      const auto found = model.find(name);
      ASSERT_EQ(map.find(name), found == model.end() ? kNone : found->second);
    }
    std::map<std::string, StatementId, std::less<>> visited;
    map.for_each([&](std::string_view name, StatementId id) { visited.emplace(name, id); });
    EXPECT_EQ(visited, model);
  }
}

}  // namespace
}  // namespace pgweir::session
