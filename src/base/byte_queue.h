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
    return {block_->data() + block_->taken, size()};
  }

  // REQUIRES: bytes are not the queue's own.
  void push(Bytes bytes);
  // Drops the first `count` bytes; gives the memory back when none is left. A small block stays
  // with the thread that gave it back, for the next one that needs it.
  // REQUIRES: count <= size().
  void pop(std::size_t count);
  void clear() { block_.reset(); }

 private:
  // The head of an allocation; the bytes follow it.
  struct Block {
    std::size_t capacity = 0;
    std::size_t taken = 0;  // taken <= filled <= capacity.
    std::size_t filled = 0;
    std::byte* data() { return reinterpret_cast<std::byte*>(this + 1); }
  };
  struct GiveBack {
    void operator()(Block* block) const;
  };
  using OwnedBlock = std::unique_ptr<Block, GiveBack>;

  static OwnedBlock make_block(std::size_t capacity);
  void make_room(std::size_t bytes);

  OwnedBlock block_;
};

}  // namespace pgweir::base
