// Reactor: one thread's event loop. It implements base::Io on epoll and tells one base::Handler
// what happened. It moves bytes and knows no PostgreSQL.
//
// Sockets are registered once, edge-triggered; pausing is a flag of our own. All receive into one
// buffer of the reactor, so a connection at rest owns none. The clock is read once per batch.
//
// Beyond what base/io.h promises: a connection that arrives by hand_over is not paused. An accepted
// connection whose first byte is 0x16 starts TLS directly: the reactor plays that handshake itself
// and tells handle_secured, before any bytes, without a start_tls.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/io.h"
#include "net/connection.h"
#include "net/handshake_line.h"
#include "net/listener.h"
#include "net/mailbox.h"
#include "net/poller.h"
#include "net/tls_context.h"

namespace pgweir::net {

struct ReactorOptions {
  std::string name = "reactor";  // Of the thread, at most 15 characters.
  int nice = 0;                  // Added to the thread's priority value: 5 yields to others.
  // One read takes so much at most, for all connections in turn; what a large result moves with one
  // call costs 7 % less CPU than by 64 kB.
  std::size_t receive_bytes = 128 * 1024;
  base::Duration linger_max = std::chrono::seconds(2);  // For what close() still has to deliver.
  base::Duration linger_at_stop_max = std::chrono::milliseconds(500);  // The same after stop().
  std::uint32_t linger_bytes_max = 1024 * 1024;                        // Read and discarded.
  HandshakeLineOptions handshakes;  // Of clients; ours with servers are few, and never wait.
  SocketOptions socket;             // For connections that we open.
};

// Written by the reactor's thread, read by any.
struct ReactorCounters {
  std::atomic<std::uint64_t> turns = 0;
  std::atomic<std::uint64_t> accepted = 0;
  std::atomic<std::uint64_t> refused = 0;      // No descriptor was left (EMFILE).
  std::atomic<std::uint64_t> opened = 0;       // open() that succeeded.
  std::atomic<std::uint64_t> moved_in = 0;     // By hand_over: two epoll_ctl each.
  std::atomic<std::uint64_t> connections = 0;  // Now, those still lingering included.
};

class Reactor final : public base::Io {
 public:
  // Errors: System (no descriptor left).
  static base::Result<std::unique_ptr<Reactor>> create(const ReactorOptions& options);
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  ~Reactor() override;

  // Before run(), on any one thread.
  void attach(base::Handler& handler) { handler_ = &handler; }
  // Where hand_over leads; it must outlive the reactor.
  void attach(const Switchboard& switchboard) { switchboard_ = &switchboard; }
  // Clients are accepted here. refusal: what one is sent when no descriptor is left for it.
  void listen(std::vector<Listener> listeners, base::ByteBuffer refusal);

  // Any thread. For handshakes that start from now on.
  void set_tls(std::shared_ptr<const TlsContext> clients);

  // Turns the loop until stop(). The calling thread becomes the reactor's thread: Io is called on
  // it alone from then on (before, Io may be called by whoever prepares the reactor).
  void run();
  // One pass of the loop: waits for something to happen (2.5 s at most) and tells it. For run(),
  // and for tests that host several reactors on one thread.
  void turn();

  // Any thread. run() returns once lingering connections have ended, linger_at_stop_max at most;
  // until then the handler is still called.
  void stop();
  // Any thread. Closes the listening sockets; clients already accepted stay.
  void stop_listening();
  // Any thread: where parcels for this reactor's handler go, and the switchboard's entry.
  Inbox& inbox() { return inbox_; }
  // Any thread. When the loop last turned; it does so every 2.5 s even when nothing happens.
  base::Instant last_turn() const;
  const ReactorCounters& counters() const { return counters_; }
  const std::string& name() const { return options_.name; }

  // base::Io.
  std::size_t try_send(base::ConnectionId id, base::Bytes head, base::Bytes tail = {}) override;
  void pause(base::ConnectionId id) override;
  void resume(base::ConnectionId id) override;
  base::ConnectionId open(const base::Endpoint& endpoint) override;
  void start_tls(base::ConnectionId id, const base::TlsRequest& request) override;
  void close(base::ConnectionId id) override;
  void hand_over(base::ConnectionId id, base::Mailbox to,
                 std::unique_ptr<base::Parcel> parcel) override;
  void wake_at(base::Instant when) override { wake_ = when; }

 private:
  enum Request : unsigned { Stop = 1, StopListening = 2, NewTls = 4 };
  struct Linger {
    base::ConnectionId id;
    base::Instant until;
  };

  Reactor(const ReactorOptions& options, Poller poller, Descriptor alarm);

  // The loop (reactor.cc).
  void name_thread() const;
  void wait_for_events();
  base::Instant next_deadline() const;
  void handle_event(std::uint64_t key, std::uint32_t events);
  void serve_requests();
  void serve_due();
  void read_letters();
  void ring_later(Inbox& inbox);
  void ring();
  void end_lingering();
  void hasten_lingering();
  bool is_finished() const;

  // Accepting (reactor.cc).
  void accept_clients(Listener& listener);
  void admit(Accepted accepted);
  void watch_newcomer();
  void watch_listeners(bool watched);

  // One connection (reactor_connection.cc).
  void serve(Connection& connection);
  void finish_connect(Connection& connection);
  void finish_send(Connection& connection);
  void receive(Connection& connection);
  void receive_paused(Connection& connection);
  void handle_received_nothing(Connection& connection, int error);
  void continue_linger(Connection& connection);
  void discard_input(Connection& connection);
  base::ConnectionId adopt(MovedConnection moved);

  // TLS (reactor_tls.cc).
  void await_turn(Connection& connection);
  void begin_turn(Connection& connection);
  void begin_next_handshakes();
  void end_handshake(const Connection& connection);
  void begin_handshake(Connection& connection, const base::TlsRequest& request);
  void make_room_for_plaintext();
  bool begin_direct_tls(Connection& connection, base::Bytes bytes);
  bool postpone_direct_tls(Connection& connection);
  void continue_handshake(Connection& connection);
  void advance_handshake(Connection& connection, base::Bytes input);
  void fail_tls(Connection& connection, std::string_view detail);
  void receive_encrypted(Connection& connection);
  void end_in_order(Connection& connection);
  std::size_t send_encrypted(Connection& connection, base::Bytes head, base::Bytes tail);
  void transmit(Connection& connection);
  void flush_backlog(Connection& connection);

  // Shared by the Io calls and the loop (reactor_io.cc).
  Connection* find_live(base::ConnectionId id);
  int watch(Connection& connection);
  void serve_later(Connection& connection);
  static bool is_silent(const Connection& connection);
  std::size_t send_plain(Connection& connection, base::Bytes head, base::Bytes tail);
  void await_room(Connection& connection);
  void linger(Connection& connection);
  void end(Connection& connection, base::CloseCause cause, std::string_view detail);

  const ReactorOptions options_;
  Poller poller_;
  Inbox inbox_;
  base::Handler* handler_ = nullptr;
  const Switchboard* switchboard_ = nullptr;

  base::Instant now_;
  base::Instant wake_ = base::kNever;
  ConnectionTable connections_;
  base::ByteBuffer received_;              // The scratch buffer that all sockets read into.
  base::ByteBuffer plain_;                 // What a TLS connection's bytes decrypt to.
  base::ByteBuffer cipher_;                // What is being encrypted; empty between calls.
  std::shared_ptr<const TlsContext> tls_;  // For clients; null: TLS is not offered to them.
  HandshakeLine handshakes_;
  std::vector<base::ConnectionId> due_;      // To serve in the next turn, without an event.
  std::vector<base::ConnectionId> serving_;  // Of this turn; kept for its memory.
  std::vector<std::unique_ptr<Letter>> letters_;
  std::vector<Inbox*> to_ring_;   // Have letters of ours, and are not told of them yet.
  std::deque<Linger> lingering_;  // Soonest deadline first; some have ended already.

  std::vector<Listener> listeners_;
  base::ByteBuffer refusal_;
  SpareDescriptor spare_;
  base::ConnectionId newcomer_ = base::ConnectionId::None;  // Accepted, and not watched yet.
  base::Instant accept_again_ = base::kNever;  // While accepting rests for want of resources.

  bool is_stopping_ = false;
  std::atomic<unsigned> requests_ = 0;
  std::mutex next_tls_mutex_;
  std::shared_ptr<const TlsContext> next_tls_;  // Until the loop takes it over.
  std::atomic<base::Duration::rep> last_turn_ = 0;
  ReactorCounters counters_;
};

}  // namespace pgweir::net
