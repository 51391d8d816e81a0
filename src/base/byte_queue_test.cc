#include "base/byte_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/rng.h"

namespace pgweir::base {
namespace {

TEST(ByteQueueTest, an_empty_queue_has_no_bytes) {
  ByteQueue queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_TRUE(queue.bytes().empty());
  queue.push({});
  EXPECT_TRUE(queue.empty());
}

TEST(ByteQueueTest, bytes_come_out_as_they_went_in) {
  ByteQueue queue;
  queue.push(as_bytes("hello "));
  queue.push(as_bytes("world"));
  EXPECT_EQ(as_text(queue.bytes()), "hello world");
  queue.pop(6);
  EXPECT_EQ(as_text(queue.bytes()), "world");
  queue.pop(5);
  EXPECT_TRUE(queue.empty());
}

TEST(ByteQueueTest, random_pushes_and_pops_agree_with_a_string) {
  Rng rng(3);
  ByteQueue queue;
  std::string model;
  for (int i = 0; i < 2000; ++i) {
    if (rng.chance(0.55)) {
      const std::string text(rng.below(900), static_cast<char>('a' + i % 26));
      queue.push(as_bytes(text));
      model += text;
    } else {
      const std::size_t count = rng.below(model.size() + 1);
      queue.pop(count);
      model.erase(0, count);
    }
    ASSERT_EQ(queue.size(), model.size());
    ASSERT_EQ(as_text(queue.bytes()), model);
  }
}

TEST(ByteQueueTest, small_blocks_go_from_one_queue_to_the_next) {
  std::vector<ByteQueue> queues(3);
  for (std::size_t round = 0; round < 300; ++round) {
    const std::size_t bytes = 1 + round * 7 % 600;
    for (std::size_t i = 0; i < queues.size(); ++i) {
      queues[i].push(ByteBuffer(bytes + i, std::byte(i)));
    }
    for (std::size_t i = 0; i < queues.size(); ++i) {
      const Bytes queued = queues[i].bytes();
      ASSERT_EQ(ByteBuffer(queued.begin(), queued.end()), ByteBuffer(bytes + i, std::byte(i)));
      queues[i].pop(queued.size());
      ASSERT_TRUE(queues[i].empty());
    }
  }
}

}  // namespace
}  // namespace pgweir::base
