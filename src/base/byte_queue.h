// ByteQueue: bytes that could not go on at once, first in, first out. An empty one owns no memory:
// a connection at rest costs a pointer. It has no limit of its own; whoever fills it decides when
// to stop reading (`size()`).
#pragma once

#include <cstddef>
#include <memory>

#include "base/assert.h"
#include "base/bytes.h"

namespace pgweir::base {

class ByteQueue {
 public:
  bool empty() const { return block_ == nullptr; }
  std::size_t size() const { return block_ == nullptr ? 0 : block_->filled - block_->taken; }
  // The queued bytes, in one piece; valid until the next call that is not const.
  Bytes bytes() const {
    if (block_ == nullptr) return {};
    return {block_->data.get() + block_->taken, size()};
  }

  void push(Bytes bytes);
  // Drops the first `count` bytes; frees the memory when none is left. REQUIRES: count <= size().
  void pop(std::size_t count);
  void clear() { block_.reset(); }

 private:
  struct Block {
    std::unique_ptr<std::byte[]> data;
    std::size_t capacity = 0;
    std::size_t taken = 0;  // taken <= filled <= capacity.
    std::size_t filled = 0;
  };
  std::unique_ptr<Block> block_;
};

}  // namespace pgweir::base
