// List: an intrusive doubly linked list. It owns nothing and allocates nothing; whoever is in a
// list can leave it in O(1), and leaves it when destroyed.
//
// An object joins several lists through several hooks, told apart by a tag:
//   struct Client : ListHook<InPool>, ListHook<InWaiting> {};
//   List<Client, InWaiting> waiting;
#pragma once

#include "base/assert.h"

namespace pgweir::base {

template <class Tag>
class ListHook {
 public:
  ListHook() = default;
  ListHook(const ListHook&) = delete;
  ListHook& operator=(const ListHook&) = delete;
  ~ListHook() { unlink(); }

  bool is_linked() const { return next_ != nullptr; }
  void unlink() {
    if (next_ == nullptr) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = nullptr;
  }

 private:
  template <class T, class U>
  friend class List;
  ListHook* previous_ = nullptr;
  ListHook* next_ = nullptr;
};

template <class T, class Tag>
class List {
 public:
  using Hook = ListHook<Tag>;

  List() { ends_.previous_ = ends_.next_ = &ends_; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() {
    while (!empty()) ends_.next_->unlink();
    ends_.previous_ = ends_.next_ = nullptr;
  }

  bool empty() const { return ends_.next_ == &ends_; }
  T* front() { return item(ends_.next_); }
  T* back() { return item(ends_.previous_); }
  const T* front() const { return item(ends_.next_); }
  const T* back() const { return item(ends_.previous_); }
  // The neighbour of a linked item, or nullptr at the end.
  T* next(T& of) { return item(static_cast<Hook&>(of).next_); }
  const T* next(const T& of) const { return item(static_cast<const Hook&>(of).next_); }

  // REQUIRES: the item is in no list of this tag.
  void push_back(T& added) { insert(ends_.previous_, added); }
  void push_front(T& added) { insert(&ends_, added); }
  T* pop_front() {
    T* first = front();
    if (first != nullptr) static_cast<Hook*>(first)->unlink();
    return first;
  }
  T* pop_back() {
    T* last = back();
    if (last != nullptr) static_cast<Hook*>(last)->unlink();
    return last;
  }

 private:
  T* item(Hook* hook) const { return hook == &ends_ ? nullptr : static_cast<T*>(hook); }
  void insert(Hook* after, T& added) {
    Hook* hook = &added;
    ASSERT(!hook->is_linked());
    hook->previous_ = after;
    hook->next_ = after->next_;
    after->next_->previous_ = hook;
    after->next_ = hook;
  }

  mutable Hook ends_;
};

}  // namespace pgweir::base
