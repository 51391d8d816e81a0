#include "proxy/batch.h"

#include <gtest/gtest.h>

namespace pgweir::proxy {
namespace {

std::string text_of(const Batch& batch) {
  return std::string(base::as_text(batch.head())) + std::string(base::as_text(batch.tail()));
}

TEST(BatchTest, what_passes_as_it_is_is_not_copied) {
  const std::string bytes = "first second";
  base::ByteBuffer built;
  Batch batch(built);
  batch.forward(base::as_bytes(bytes).first(6));
  batch.forward(base::as_bytes(bytes).subspan(6));
  EXPECT_EQ(static_cast<const void*>(batch.head().data()), static_cast<const void*>(bytes.data()));
  EXPECT_EQ(batch.head().size(), bytes.size());
  EXPECT_TRUE(batch.tail().empty());
}

TEST(BatchTest, pieces_and_runs_keep_their_order) {
  const std::string a = "aaa";
  const std::string b = "bbb";
  base::ByteBuffer built;
  Batch batch(built);
  batch.forward(base::as_bytes(a));
  base::append(batch.build(), base::as_bytes("-1-"));
  batch.forward(base::as_bytes(b));
  EXPECT_EQ(text_of(batch), "aaa-1-bbb");
  base::append(batch.build(), base::as_bytes("-2-"));
  EXPECT_EQ(text_of(batch), "aaa-1-bbb-2-");
  EXPECT_EQ(batch.size(), 12U);
  batch.clear();
  EXPECT_TRUE(batch.empty());
}

TEST(BatchTest, runs_that_do_not_touch_are_joined_by_copying) {
  const std::string bytes = "abcdef";
  base::ByteBuffer built;
  Batch batch(built);
  batch.forward(base::as_bytes(bytes).first(2));
  batch.forward(base::as_bytes(bytes).subspan(4));
  EXPECT_EQ(text_of(batch), "abef");
}

}  // namespace
}  // namespace pgweir::proxy
