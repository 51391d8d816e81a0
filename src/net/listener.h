// Listener: one listening socket, TCP or Unix, and accepting from it. Accepted TCP sockets inherit
// their options (tcp(7)), so that a client costs one system call. It decides about no client.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "base/io.h"
#include "base/result.h"
#include "net/descriptor.h"
#include "net/socket.h"

namespace pgweir::net {

struct ListenOptions {
  int backlog = 4096;
  bool shares_port = false;  // SO_REUSEPORT: several processes listen on one port.
  // A TCP client is accepted once it has said something (TCP_DEFER_ACCEPT), or after about so long
  // in silence. 0: at once.
  std::chrono::seconds silence_max{0};
  mode_t unix_mode = 0777;  // Who may connect to a Unix socket; passwords are asked all the same.
  SocketOptions socket;     // For the accepted TCP connections.
};

// What one accept() came to.
struct Accepted {
  enum class Outcome { Connection, NothingThere, NoDescriptor, TryLater };
  Outcome outcome = Outcome::NothingThere;
  Descriptor fd;
  base::PeerAddress peer;
  bool has_spoken = false;  // Its first bytes are probably there.
};

class Listener {
 public:
  // address: an IPv4 or IPv6 literal. An IPv6 socket takes IPv6 only, so that 0.0.0.0 and :: can be
  // listened on side by side. port 0: any free one, see port().
  // Errors: System (not an address, in use, not allowed), with what to do about it.
  static base::Result<Listener> open_tcp(const std::string& address, std::uint16_t port,
                                         const ListenOptions& options = {});

  // A socket file left by a dead process is replaced; one that somebody answers on is an error.
  static base::Result<Listener> open_unix(const std::string& path,
                                          const ListenOptions& options = {});

  Listener(Listener&&) noexcept = default;
  Listener& operator=(Listener&&) = delete;
  // Removes the socket file, unless it has become somebody else's.
  ~Listener();

  Accepted accept();

  int fd() const { return fd_.get(); }
  // "127.0.0.1:6432", "[::1]:6432" or the path.
  const std::string& name() const { return name_; }
  std::uint16_t port() const { return port_; }

 private:
  Listener(Descriptor fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}

  Descriptor fd_;
  std::string name_;
  std::uint16_t port_ = 0;
  bool awaits_words_ = false;  // TCP_DEFER_ACCEPT is set.
  std::string path_;           // Unix sockets only.
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// A descriptor kept aside so that a client can still be told when there is none left (EMFILE).
class SpareDescriptor {
 public:
  // NobodyThere is common: the kernel says EMFILE before it looks whether a client waits.
  // NoSpare: the caller stops accepting for a while.
  enum class Outcome { Refused, NobodyThere, NoSpare };

  SpareDescriptor() { restore(); }
  // Accepts one client on the spare descriptor, sends it `text` and closes it.
  Outcome refuse(const Listener& listener, base::Bytes text);

 private:
  void restore();
  Descriptor spare_;
};

}  // namespace pgweir::net
