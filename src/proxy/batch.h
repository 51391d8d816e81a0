// Batch: what goes to one connection in one send: runs of bytes that pass as they are, borrowed,
// and pieces that we wrote ourselves. As long as everything passes as it is, nothing is copied.
#pragma once

#include "base/bytes.h"

namespace pgweir::proxy {

class Batch {
 public:
  // Borrows a buffer of the reactor for the pieces; it is empty before and after.
  explicit Batch(base::ByteBuffer& built) : built_(built) { built_.clear(); }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch() { built_.clear(); }

  // These bytes pass as they are. They stay where they are until the batch has been sent.
  void forward(base::Bytes bytes) {
    if (bytes.empty()) return;
    if (!run_.empty() && run_.data() + run_.size() == bytes.data()) {
      run_ = {run_.data(), run_.size() + bytes.size()};
      return;
    }
    settle();
    run_ = bytes;
  }
  // Where an encoder appends a piece of ours, behind all that was forwarded.
  base::ByteBuffer& build() {
    settle();
    return built_;
  }

  bool empty() const { return built_.empty() && run_.empty(); }
  std::size_t size() const { return built_.size() + run_.size(); }
  // In this order: head, then tail.
  base::Bytes head() const { return built_.empty() ? run_ : base::Bytes(built_); }
  base::Bytes tail() const { return built_.empty() ? base::Bytes() : run_; }
  void clear() {
    built_.clear();
    run_ = {};
  }

 private:
  void settle() {
    base::append(built_, run_);
    run_ = {};
  }

  base::ByteBuffer& built_;
  base::Bytes run_;
};

}  // namespace pgweir::proxy
