// The loop: waiting, dispatch, letters, deadlines, accepting. A turn is
//
//   wait ─► clock ─► events ─► connections due ─► handshakes ─► letters ─► lingering ─► wake
//
// A connection becomes due when there is something to do or to tell that no event will announce:
// bytes left because the buffer was full, an error seen while sending, a resume.
#include "net/reactor.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "net/clock.h"

namespace pgweir::net {
namespace {

constexpr base::Duration kTurnMax = std::chrono::milliseconds(2500);
constexpr base::Duration kAcceptRest = std::chrono::milliseconds(100);
constexpr int kAcceptsPerTurn = 64;  // So that a storm cannot starve those already here.
// Each ring wakes a thread, which takes the CPU from us where there is but one. Letters of a few
// events share it; those of a long batch, which may hash passwords, do not wait for its end.
constexpr int kEventsPerRing = 16;

// Epoll keys that are no connection: a valid ConnectionId has a generation above 0.
constexpr std::uint64_t kInboxKey = 1;
constexpr std::uint64_t kFirstListenerKey = 2;

void add_one(std::atomic<std::uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

base::Result<std::unique_ptr<Reactor>> Reactor::create(const ReactorOptions& options) {
  Poller poller = TRY(Poller::create());
  Descriptor alarm(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!alarm.is_open() || poller.add(alarm.get(), EPOLLIN | EPOLLET, kInboxKey) != 0) {
    return base::Error{.code = base::ErrorCode::System,
                       .context = "cannot create an eventfd: " + describe_error(errno)};
  }
  return std::unique_ptr<Reactor>(new Reactor(options, std::move(poller), std::move(alarm)));
}

Reactor::Reactor(const ReactorOptions& options, Poller poller, Descriptor alarm)
    : options_(options),
      poller_(std::move(poller)),
      inbox_(std::move(alarm)),
      now_(monotonic_now()),
      received_(options.receive_bytes),
      handshakes_(options.handshakes),
      last_turn_(now_.time_since_epoch().count()) {}

Reactor::~Reactor() = default;

void Reactor::listen(std::vector<Listener> listeners, base::ByteBuffer refusal) {
  ASSERT(listeners_.empty());
  listeners_ = std::move(listeners);
  refusal_ = std::move(refusal);
  watch_listeners(true);
}

void Reactor::run() {
  ASSERT(handler_ != nullptr);
  name_thread();
  while (!is_finished()) turn();
  ring();
}

void Reactor::stop() {
  requests_.fetch_or(Stop, std::memory_order_release);
  inbox_.wake();
}

void Reactor::stop_listening() {
  requests_.fetch_or(StopListening, std::memory_order_release);
  inbox_.wake();
}

void Reactor::set_tls(std::shared_ptr<const TlsContext> clients) {
  {
    const std::lock_guard<std::mutex> lock(next_tls_mutex_);
    next_tls_ = std::move(clients);
  }
  requests_.fetch_or(NewTls, std::memory_order_release);
  inbox_.wake();
}

base::Instant Reactor::last_turn() const {
  return base::Instant(base::Duration(last_turn_.load(std::memory_order_relaxed)));
}

void Reactor::name_thread() const {
  static_cast<void>(::pthread_setname_np(::pthread_self(), options_.name.substr(0, 15).c_str()));
  // On Linux the priority value belongs to the thread, not to the process.
  if (options_.nice != 0) {
    static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), options_.nice));
  }
}

void Reactor::turn() {
  wait_for_events();
  serve_due();
  if (handshakes_.has_waiting()) begin_next_handshakes();
  read_letters();
  end_lingering();
  if (wake_ <= now_) {
    wake_ = base::kNever;
    handler_->handle_wake(now_);
  }
  counters_.connections.store(connections_.count(), std::memory_order_relaxed);
}

void Reactor::wait_for_events() {
  ring();
  const bool may_sleep = due_.empty() && inbox_.announce_sleep();
  const base::Duration timeout = may_sleep ? next_deadline() - now_ : base::Duration::zero();
  const std::span<const epoll_event> events = poller_.wait(timeout);
  inbox_.end_sleep();
  now_ = monotonic_now();
  last_turn_.store(now_.time_since_epoch().count(), std::memory_order_relaxed);
  add_one(counters_.turns);
  // What was due before these events is served first after them; what they make due waits a turn.
  serving_.swap(due_);
  serve_requests();
  // What other threads said before is known before what arrived since: a new configuration holds
  // for a client that came after it.
  read_letters();
  int handled = 0;
  for (const epoll_event& event : events) {
    handle_event(event.data.u64, event.events);
    if (++handled % kEventsPerRing == 0) ring();
  }
}

base::Instant Reactor::next_deadline() const {
  const base::Instant linger = lingering_.empty() ? base::kNever : lingering_.front().until;
  return std::min({now_ + kTurnMax, wake_, linger, accept_again_, handshakes_.deadline()});
}

void Reactor::handle_event(std::uint64_t key, std::uint32_t events) {
  if (key == kInboxKey) return;  // It has done its work by ending the wait.
  if (base::generation_of(base::ConnectionId{key}) == 0) {
    const std::size_t index = key - kFirstListenerKey;
    if (index < listeners_.size()) accept_clients(listeners_[index]);
    return;
  }
  Connection* connection = connections_.find(base::ConnectionId{key});
  if (connection == nullptr) return;  // It ended earlier in this batch.
  constexpr std::uint32_t kEnded = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((events & (EPOLLIN | kEnded)) != 0) connection->may_read = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) connection->may_write = true;
  if ((events & kEnded) != 0) connection->has_hung_up = true;
  serve(*connection);
}

void Reactor::serve_requests() {
  if (accept_again_ <= now_) watch_listeners(true);
  if (requests_.load(std::memory_order_relaxed) == 0) return;
  const unsigned requests = requests_.exchange(0, std::memory_order_acquire);
  if ((requests & NewTls) != 0) {
    const std::lock_guard<std::mutex> lock(next_tls_mutex_);
    tls_ = next_tls_;
  }
  if ((requests & (Stop | StopListening)) != 0) {
    accept_again_ = base::kNever;
    listeners_.clear();  // Closing a socket takes it out of epoll.
  }
  if ((requests & Stop) != 0) {
    is_stopping_ = true;
    hasten_lingering();
  }
}

void Reactor::serve_due() {
  for (const base::ConnectionId id : serving_) {
    Connection* connection = connections_.find(id);
    if (connection == nullptr || !connection->is_due) continue;
    connection->is_due = false;
    serve(*connection);
  }
  serving_.clear();
}

void Reactor::read_letters() {
  inbox_.take_all(letters_);
  for (std::unique_ptr<Letter>& letter : letters_) {
    const base::ConnectionId id = adopt(std::move(letter->connection));
    if (id != base::ConnectionId::None) add_one(counters_.moved_in);
    handler_->handle_parcel(id, std::move(letter->parcel), now_);
  }
  letters_.clear();
}

void Reactor::ring_later(Inbox& inbox) {
  if (std::find(to_ring_.begin(), to_ring_.end(), &inbox) == to_ring_.end()) {
    to_ring_.push_back(&inbox);
  }
}

void Reactor::ring() {
  for (Inbox* inbox : to_ring_) inbox->ring();
  to_ring_.clear();
}

void Reactor::end_lingering() {
  while (!lingering_.empty()) {
    const Linger& first = lingering_.front();
    Connection* connection = connections_.find(first.id);
    if (connection != nullptr) {
      if (first.until > now_) return;
      connections_.remove(*connection);
    }
    lingering_.pop_front();
  }
}

// Whoever ends the process does not wait for peers that are in no hurry.
void Reactor::hasten_lingering() {
  const base::Instant latest = now_ + options_.linger_at_stop_max;
  for (Linger& linger : lingering_) linger.until = std::min(linger.until, latest);
}

bool Reactor::is_finished() const { return is_stopping_ && lingering_.empty(); }

void Reactor::accept_clients(Listener& listener) {
  for (int count = 0; count < kAcceptsPerTurn; ++count) {
    Accepted accepted = listener.accept();
    switch (accepted.outcome) {
      case Accepted::Outcome::Connection: admit(std::move(accepted)); continue;
      case Accepted::Outcome::NothingThere: return;
      case Accepted::Outcome::NoDescriptor: {
        const SpareDescriptor::Outcome outcome = spare_.refuse(listener, refusal_);
        if (outcome == SpareDescriptor::Outcome::NobodyThere) return;
        if (outcome == SpareDescriptor::Outcome::NoSpare) break;
        add_one(counters_.refused);
        continue;
      }
      case Accepted::Outcome::TryLater: break;
    }
    // Level-triggered and not to be served now: without a rest the loop would spin.
    watch_listeners(false);
    return;
  }
}

void Reactor::admit(Accepted accepted) {
  Connection& connection = connections_.add();
  connection.phase = Phase::Open;
  connection.fd = std::move(accepted.fd);
  connection.is_unix = accepted.peer.is_unix;
  connection.may_be_direct = true;
  add_one(counters_.accepted);
  const base::ConnectionId id = ConnectionTable::id_of(connection);
  // One that has spoken is served before it is watched: who is let in at its first word never is.
  newcomer_ = id;
  if (!accepted.has_spoken) watch_newcomer();
  handler_->handle_accepted(id, accepted.peer, now_);
  if (newcomer_ == base::ConnectionId::None) return;
  if (Connection* still = find_live(id)) {
    still->may_read = true;
    serve(*still);
  }
  watch_newcomer();
}

// Whatever has come meanwhile is reported now, as watching begins.
void Reactor::watch_newcomer() {
  const base::ConnectionId id = std::exchange(newcomer_, base::ConnectionId::None);
  Connection* connection = connections_.find(id);
  if (connection == nullptr) return;  // It has ended, or was handed over.
  const int error = watch(*connection);
  if (error == 0 || connection->error != 0) return;
  connection->error = error;
  serve_later(*connection);
}

void Reactor::watch_listeners(bool watched) {
  accept_again_ = watched ? base::kNever : now_ + kAcceptRest;
  std::uint64_t key = kFirstListenerKey;
  for (const Listener& listener : listeners_) {
    if (!watched) {
      poller_.remove(listener.fd());
    } else if (const int error = poller_.add(listener.fd(), EPOLLIN, key);
               error != 0 && error != EEXIST) {
      accept_again_ = now_ + kAcceptRest;  // The kernel lacks memory for it just now.
    }
    ++key;
  }
}

}  // namespace pgweir::net
