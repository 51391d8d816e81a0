// Relay: the least that a pooler could do, the floor of a comparison. It lends servers to clients
// answer by answer, first come, first served, and moves bytes. It has no limits, no time, no
// logins, no session state and no defence; it believes that an answer ends where a chunk does, and
// waits where a socket is full. What a pooler needs beyond it is the price of a pooler's duties.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "net/descriptor.h"
#include "net/listener.h"
#include "net/poller.h"

namespace pgweir::bench {

class Relay {
 public:
  // Its servers are at 127.0.0.1:server_port; they are connected when the first clients ask.
  Relay(net::Listener listener, net::Poller poller, std::uint16_t server_port);

  // Waits for events and serves them.
  void turn();

 private:
  struct Peer {
    net::Descriptor fd;
    bool is_server = false;
    bool is_welcome = false;  // Of a client: it has got its welcome.
    Peer* partner = nullptr;
    base::ByteBuffer parked;  // Of a client in the line: what it has asked.
  };

  void accept_clients();
  Peer& add(net::Descriptor fd);
  // The next server, or nullptr when all are lent.
  Peer* find_server();
  Peer* open_server();
  void serve(Peer& peer);
  void serve_client(Peer& client, base::Bytes bytes);
  void serve_server(Peer& server, base::Bytes bytes);
  void lend(Peer& server, Peer& client, base::Bytes request);
  void remove(Peer& peer);

  net::Listener listener_;
  net::Poller poller_;
  const std::uint16_t server_port_;
  std::vector<std::unique_ptr<Peer>> peers_;  // By descriptor.
  std::vector<Peer*> idle_;
  std::deque<Peer*> waiting_;
  std::size_t server_count_ = 0;
  base::ByteBuffer welcome_;  // What a server says to who logs in.
  base::ByteBuffer received_;
};

}  // namespace pgweir::bench
