#include "base/byte_queue.h"

#include <algorithm>
#include <cstring>

namespace pgweir::base {
namespace {

// Small enough for a parked query of common length, and growth by doubling keeps push amortised.
constexpr std::size_t kCapacityMin = 256;

}  // namespace

void ByteQueue::push(Bytes bytes) {
  if (bytes.empty()) return;
  if (block_ == nullptr) block_ = std::make_unique<Block>();
  Block& block = *block_;
  if (block.capacity - block.filled < bytes.size()) {
    const std::size_t kept = block.filled - block.taken;
    if (block.capacity < kept + bytes.size()) {
      std::size_t capacity = std::max(block.capacity, kCapacityMin);
      while (capacity < kept + bytes.size()) capacity *= 2;
      std::unique_ptr<std::byte[]> data(new std::byte[capacity]);
      if (kept != 0) std::memcpy(data.get(), block.data.get() + block.taken, kept);
      block.data = std::move(data);
      block.capacity = capacity;
    } else {
      std::memmove(block.data.get(), block.data.get() + block.taken, kept);
    }
    block.taken = 0;
    block.filled = kept;
  }
  std::memcpy(block.data.get() + block.filled, bytes.data(), bytes.size());
  block.filled += bytes.size();
}

void ByteQueue::pop(std::size_t count) {
  ASSERT(count <= size());
  if (count == 0) return;
  block_->taken += count;
  if (block_->taken == block_->filled) block_.reset();
}

}  // namespace pgweir::base
