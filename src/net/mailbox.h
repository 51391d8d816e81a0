// Inbox: how other threads reach a reactor, without a lock. Letters are pushed onto an atomic stack
// and taken all at once; the eventfd is written only if the owner may be asleep. Who posts many in
// a row posts them quietly and rings once.
//
// Switchboard: which inbox is which part of the process. Both are about threads only; what a parcel
// means is known to the core alone.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/io.h"
#include "net/descriptor.h"
#include "net/tls_stream.h"

namespace pgweir::net {

// Where parcels can be sent from any thread. The control thread provides one of its own.
class ParcelSink {
 public:
  virtual ~ParcelSink() = default;
  virtual void post(std::unique_ptr<base::Parcel> parcel) = 0;
};

// A connection between two reactors: it belongs to neither, and closes if nobody takes it.
struct MovedConnection {
  Descriptor fd;
  std::unique_ptr<TlsStream> tls;  // With what it has read and not delivered, or not sent.
  bool is_unix = false;
  bool owes_writable = false;
  int error = 0;
};

struct Letter {
  std::unique_ptr<base::Parcel> parcel;
  MovedConnection connection;  // Without a descriptor: the parcel came alone.
  Letter* next = nullptr;      // The inbox's, while it lies there.
};

class Inbox final : public ParcelSink {
 public:
  // alarm: an eventfd in the owner's epoll, registered edge-triggered; so it is never read.
  explicit Inbox(Descriptor alarm) : alarm_(std::move(alarm)) {}
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;
  ~Inbox() override;

  // Any thread.
  void post(std::unique_ptr<base::Parcel> parcel) override;
  void post(std::unique_ptr<Letter> letter);
  // Whoever posts quietly rings soon: until then an owner that sleeps does not know of the letter.
  void post_quietly(std::unique_ptr<Letter> letter);
  void ring();
  void wake();

  // The owner only. To sleep: announce_sleep(), and only if that says yes wait for events, then
  // end_sleep(). A letter pushed after the yes rings the alarm.
  bool announce_sleep();
  void end_sleep() { asleep_.store(false, std::memory_order_relaxed); }
  // Moves all letters to the end of `into`, oldest first.
  void take_all(std::vector<std::unique_ptr<Letter>>& into);
  int alarm() const { return alarm_.get(); }

 private:
  Descriptor alarm_;
  std::atomic<Letter*> newest_ = nullptr;  // Owned.
  std::atomic<bool> asleep_ = false;
};

// Filled before the threads start and constant from then on; the inboxes must outlive them.
class Switchboard {
 public:
  Inbox* login = nullptr;
  std::vector<Inbox*> relays;
  ParcelSink* control = nullptr;

  // Returns the inbox that the caller rings before it waits for anything (Inbox::post_quietly), or
  // nullptr where there is none to ring. A connection sent to the control part is closed: it holds
  // none.
  [[nodiscard]] Inbox* send(std::unique_ptr<Letter> letter, base::Mailbox to) const;
};

}  // namespace pgweir::net
