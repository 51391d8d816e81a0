#include "net/mailbox.h"

#include <sys/eventfd.h>

#include <algorithm>

#include "base/assert.h"

// Who sleeps and who pushes are two halves of a Dekker pair: the owner stores `asleep_` and then
// looks at the stack, a sender pushes and then looks at `asleep_`. Both are sequentially
// consistent, so at least one of them sees the other and no letter waits for the next event.

namespace pgweir::net {

Inbox::~Inbox() {
  std::vector<std::unique_ptr<Letter>> unread;
  take_all(unread);
}

void Inbox::post(std::unique_ptr<base::Parcel> parcel) {
  auto letter = std::make_unique<Letter>();
  letter->parcel = std::move(parcel);
  post(std::move(letter));
}

void Inbox::post(std::unique_ptr<Letter> letter) {
  post_quietly(std::move(letter));
  ring();
}

void Inbox::post_quietly(std::unique_ptr<Letter> letter) {
  Letter* pushed = letter.release();
  pushed->next = newest_.load(std::memory_order_relaxed);
  while (!newest_.compare_exchange_weak(pushed->next, pushed, std::memory_order_seq_cst)) {
  }
}

void Inbox::ring() {
  if (asleep_.exchange(false, std::memory_order_seq_cst)) wake();
}

void Inbox::wake() { static_cast<void>(::eventfd_write(alarm_.get(), 1)); }

bool Inbox::announce_sleep() {
  asleep_.store(true, std::memory_order_seq_cst);
  if (newest_.load(std::memory_order_seq_cst) == nullptr) return true;
  end_sleep();
  return false;
}

void Inbox::take_all(std::vector<std::unique_ptr<Letter>>& into) {
  if (newest_.load(std::memory_order_relaxed) == nullptr) return;
  const auto before = static_cast<std::ptrdiff_t>(into.size());
  Letter* letter = newest_.exchange(nullptr, std::memory_order_acquire);
  while (letter != nullptr) {
    into.emplace_back(letter);
    letter = letter->next;
  }
  std::reverse(into.begin() + before, into.end());
}

Inbox* Switchboard::send(std::unique_ptr<Letter> letter, base::Mailbox to) const {
  if (to.part == base::Mailbox::Part::Control) {
    ASSERT(control != nullptr);
    control->post(std::move(letter->parcel));
    return nullptr;
  }
  const bool is_login = to.part == base::Mailbox::Part::Login;
  ASSERT(is_login ? login != nullptr : to.index < relays.size());
  Inbox* inbox = is_login ? login : relays[to.index];
  inbox->post_quietly(std::move(letter));
  return inbox;
}

}  // namespace pgweir::net
