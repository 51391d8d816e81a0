#include "sim/fiber.h"

#include <memory>
#include <utility>
#include <vector>

#include "base/assert.h"

#if defined(__SANITIZE_ADDRESS__)
#define PGWEIR_SIM_HAS_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define PGWEIR_SIM_HAS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PGWEIR_SIM_HAS_ASAN 1
#elif __has_feature(thread_sanitizer)
#define PGWEIR_SIM_HAS_TSAN 1
#endif
#endif
#ifdef PGWEIR_SIM_HAS_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef PGWEIR_SIM_HAS_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace pgweir::sim {
namespace {

// A sanitizer's frames are several times as large as ours.
constexpr std::size_t kStackBytes = 512 * 1024;

using Stack = std::unique_ptr<std::byte[]>;

// Stacks are used again: most of one is never touched, and nobody clears it.
std::vector<Stack>& spare_stacks() {
  static std::vector<Stack> spare;
  return spare;
}

std::byte* take_stack() {
  if (spare_stacks().empty()) return new std::byte[kStackBytes];
  std::byte* stack = spare_stacks().back().release();
  spare_stacks().pop_back();
  return stack;
}

// The fiber that is being entered, or that runs.
Fiber* running = nullptr;

}  // namespace

Fiber::Fiber() : stack_(take_stack()) {
#ifdef PGWEIR_SIM_HAS_TSAN
  inside_mark_ = __tsan_create_fiber(0);
#endif
  getcontext(&inside_);
  inside_.uc_stack.ss_sp = stack_;
  inside_.uc_stack.ss_size = kStackBytes;
  inside_.uc_link = nullptr;
  makecontext(&inside_, &Fiber::enter, 0);
}

Fiber::~Fiber() {
  ASSERT(!is_busy_);
#ifdef PGWEIR_SIM_HAS_TSAN
  __tsan_destroy_fiber(inside_mark_);
#endif
  spare_stacks().emplace_back(stack_);
}

void Fiber::begin(Action work) {
  ASSERT(!is_busy_);
  work_ = std::move(work);
  is_busy_ = true;
  go_on();
}

void Fiber::go_on() {
  ASSERT(is_busy_ && running == nullptr);
  running = this;
#ifdef PGWEIR_SIM_HAS_ASAN
  __sanitizer_start_switch_fiber(&outside_mark_, stack_, kStackBytes);
#endif
#ifdef PGWEIR_SIM_HAS_TSAN
  outside_mark_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(inside_mark_, 0);
#endif
  swapcontext(&outside_, &inside_);
#ifdef PGWEIR_SIM_HAS_ASAN
  __sanitizer_finish_switch_fiber(outside_mark_, nullptr, nullptr);
#endif
  running = nullptr;
}

void Fiber::stop() {
  ASSERT(running == this);
#ifdef PGWEIR_SIM_HAS_ASAN
  __sanitizer_start_switch_fiber(&inside_mark_, outside_bottom_, outside_bytes_);
#endif
#ifdef PGWEIR_SIM_HAS_TSAN
  __tsan_switch_to_fiber(outside_mark_, 0);
#endif
  swapcontext(&inside_, &outside_);
#ifdef PGWEIR_SIM_HAS_ASAN
  __sanitizer_finish_switch_fiber(inside_mark_, &outside_bottom_, &outside_bytes_);
#endif
}

void Fiber::enter() {
  Fiber& self = *running;
#ifdef PGWEIR_SIM_HAS_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &self.outside_bottom_, &self.outside_bytes_);
#endif
  self.work_for_ever();
}

void Fiber::work_for_ever() {
  for (;;) {
    std::exchange(work_, nullptr)();
    is_busy_ = false;
    stop();
  }
}

}  // namespace pgweir::sim
