#include "base/byte_queue.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace pgweir::base {
namespace {

// Small enough for a parked query of common length, and growth by doubling keeps push amortised.
constexpr std::size_t kBlockBytesMin = 256;

#if defined(__has_feature)
#define PGWEIR_HAS_FEATURE(name) __has_feature(name)
#else
#define PGWEIR_HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || PGWEIR_HAS_FEATURE(address_sanitizer)
constexpr std::size_t kSpareCountMax = 0;  // So that a span into a block given back is noticed.
#else
constexpr std::size_t kSpareCountMax = 1024;
#endif

// Small blocks that nobody has, last given back first: a client that waits for a server parks its
// query for each of its transactions, and the allocator would be asked twice for each.
class Spares {
 public:
  Spares() = default;
  Spares(const Spares&) = delete;
  Spares& operator=(const Spares&) = delete;
  ~Spares() {
    while (first_ != nullptr) ::operator delete(take());
  }

  bool empty() const { return first_ == nullptr; }
  bool has_room() const { return count_ < kSpareCountMax; }

  void put(void* memory) {
    first_ = new (memory) Spare{first_};
    ++count_;
  }
  void* take() {
    --count_;
    return std::exchange(first_, first_->next);
  }

 private:
  struct Spare {
    Spare* next;
  };
  Spare* first_ = nullptr;
  std::size_t count_ = 0;
};

thread_local Spares spares;

}  // namespace

void ByteQueue::GiveBack::operator()(Block* block) const {
  if (block->capacity + sizeof(Block) == kBlockBytesMin && spares.has_room()) {
    spares.put(block);
  } else {
    ::operator delete(block);
  }
}

ByteQueue::OwnedBlock ByteQueue::make_block(std::size_t capacity) {
  std::size_t bytes = kBlockBytesMin;
  while (bytes < capacity + sizeof(Block)) bytes *= 2;
  const bool is_spared = bytes == kBlockBytesMin && !spares.empty();
  void* memory = is_spared ? spares.take() : ::operator new(bytes);
  return OwnedBlock(new (memory) Block{.capacity = bytes - sizeof(Block)});
}

void ByteQueue::push(Bytes bytes) {
  if (bytes.empty()) return;
  if (block_ == nullptr) {
    block_ = make_block(bytes.size());
  } else if (block_->capacity - block_->filled < bytes.size()) {
    make_room(bytes.size());
  }
  std::memcpy(block_->data() + block_->filled, bytes.data(), bytes.size());
  block_->filled += bytes.size();
}

// Behind the bytes that are queued: what was taken in front of them is room, too.
void ByteQueue::make_room(std::size_t bytes) {
  const std::size_t kept = size();
  const std::byte* from = block_->data() + block_->taken;
  if (block_->capacity >= kept + bytes) {
    std::memmove(block_->data(), from, kept);
  } else {
    OwnedBlock larger = make_block(std::max(kept + bytes, 2 * block_->capacity));
    std::memcpy(larger->data(), from, kept);
    block_ = std::move(larger);
  }
  block_->taken = 0;
  block_->filled = kept;
}

void ByteQueue::pop(std::size_t count) {
  ASSERT(count <= size());
  if (count == 0) return;
  block_->taken += count;
  if (block_->taken == block_->filled) block_.reset();
}

}  // namespace pgweir::base
