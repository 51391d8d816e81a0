#include "net/listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <optional>

#include "net/address.h"

namespace pgweir::net {
namespace {

base::Error cannot_listen(const std::string& name, std::string_view why) {
  return {.code = base::ErrorCode::System,
          .context = fmt::format("cannot listen on {}: {}", name, why)};
}

std::string explain_bind(int error, const std::string& name) {
  switch (error) {
    case EADDRINUSE:
      return "address in use: another process listens there; stop it or choose another address "
             "with --listen";
    case EADDRNOTAVAIL: return "no interface of this machine has that address";
    case EACCES:
      return name.front() == '/' ? "no permission to create the socket in that directory"
                                 : "ports below 1024 need the capability CAP_NET_BIND_SERVICE";
    case ENOENT: return "the directory does not exist";
    default: return describe_error(error);
  }
}

base::Result<Descriptor> make_socket(int family, const std::string& name) {
  Descriptor fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return cannot_listen(name, describe_error(errno));
  return fd;
}

// True if somebody answers on that socket file.
bool is_alive(const SocketAddress& address) {
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (::connect(probe.get(), address.get(), address.bytes) == 0) return true;
  return errno == EAGAIN;  // A full queue: alive and busy.
}

// Removes a socket file that nobody answers on. Anything that is not a socket is left alone.
base::Status clear_stale_socket(const std::string& path, const SocketAddress& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return base::success();
  if (!S_ISSOCK(found.st_mode)) return cannot_listen(path, "a file that is no socket lies there");
  if (is_alive(address)) return cannot_listen(path, explain_bind(EADDRINUSE, path));
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return cannot_listen(path, "a socket of a dead process lies there and cannot be removed: " +
                                   describe_error(errno));
  }
  return base::success();
}

}  // namespace

base::Result<Listener> Listener::open_tcp(const std::string& address, std::uint16_t port,
                                          const ListenOptions& options) {
  std::optional<SocketAddress> wanted = make_ip_address(address, port);
  if (!wanted) return cannot_listen(address, "not an IP address");
  const std::string name = to_text(*wanted);
  Descriptor fd = TRY(make_socket(wanted->family(), name));
  const int on = 1;
  static_cast<void>(::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
  if (options.shares_port) {
    static_cast<void>(::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)));
  }
  if (wanted->family() == AF_INET6) {
    static_cast<void>(::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)));
  }
  tune_tcp(fd.get(), options.socket);
  const bool awaits_words = defer_accept(fd.get(), options.silence_max);
  if (::bind(fd.get(), wanted->get(), wanted->bytes) != 0 ||
      ::listen(fd.get(), options.backlog) != 0) {
    return cannot_listen(name, explain_bind(errno, name));
  }
  wanted->bytes = sizeof(wanted->storage);
  static_cast<void>(::getsockname(fd.get(), wanted->get(), &wanted->bytes));
  Listener listener(std::move(fd), to_text(*wanted));
  listener.port_ = port_of(*wanted);
  listener.awaits_words_ = awaits_words;
  return listener;
}

base::Result<Listener> Listener::open_unix(const std::string& path, const ListenOptions& options) {
  const std::optional<SocketAddress> wanted = make_unix_address(path);
  if (!wanted) return cannot_listen(path, describe_error(ENAMETOOLONG));
  Descriptor fd = TRY(make_socket(AF_UNIX, path));
  const bool is_abstract = path.front() == '@';  // No file: nothing lies there, nothing stays.
  if (!is_abstract) TRY(clear_stale_socket(path, *wanted));
  if (::bind(fd.get(), wanted->get(), wanted->bytes) != 0) {
    return cannot_listen(path, explain_bind(errno, path));
  }
  if (is_abstract) {
    if (::listen(fd.get(), options.backlog) != 0) return cannot_listen(path, describe_error(errno));
    return Listener(std::move(fd), path);
  }
  // The mode is set before listen(): until then nobody can connect, so no moment is too open.
  struct stat made {};
  if (::chmod(path.c_str(), options.unix_mode) != 0 || ::stat(path.c_str(), &made) != 0 ||
      ::listen(fd.get(), options.backlog) != 0) {
    const int error = errno;
    static_cast<void>(::unlink(path.c_str()));
    return cannot_listen(path, describe_error(error));
  }
  Listener listener(std::move(fd), path);
  listener.path_ = path;
  listener.device_ = made.st_dev;
  listener.inode_ = made.st_ino;
  return listener;
}

Listener::~Listener() {
  if (path_.empty() || !fd_.is_open()) return;
  struct stat found {};
  if (::lstat(path_.c_str(), &found) != 0) return;
  if (found.st_dev != device_ || found.st_ino != inode_) return;
  static_cast<void>(::unlink(path_.c_str()));
}

Accepted Listener::accept() {
  SocketAddress from;
  from.bytes = sizeof(from.storage);
  Accepted accepted;
  accepted.fd =
      Descriptor(::accept4(fd_.get(), from.get(), &from.bytes, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (accepted.fd.is_open()) {
    accepted.outcome = Accepted::Outcome::Connection;
    accepted.peer = describe_peer(accepted.fd.get(), from);
    accepted.has_spoken = awaits_words_;
    return accepted;
  }
  switch (errno) {
    case EMFILE:
    case ENFILE: accepted.outcome = Accepted::Outcome::NoDescriptor; break;
    case ENOBUFS:
    case ENOMEM: accepted.outcome = Accepted::Outcome::TryLater; break;
    // Nobody is there, a client has gone meanwhile, or a signal came. The socket is
    // level-triggered, so whoever still waits is reported again.
    default: break;
  }
  return accepted;
}

void SpareDescriptor::restore() {
  if (!spare_.is_open()) spare_ = Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

SpareDescriptor::Outcome SpareDescriptor::refuse(const Listener& listener, base::Bytes text) {
  restore();
  if (!spare_.is_open()) return Outcome::NoSpare;
  spare_.reset();
  Descriptor client(::accept4(listener.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  const bool is_there = client.is_open();
  if (is_there) {
    static_cast<void>(send_both(client.get(), text, {}));
    static_cast<void>(::shutdown(client.get(), SHUT_WR));
    // What the client has sent already is taken off, or close() would reset the connection and
    // the text with it. There is no descriptor to wait for more.
    std::array<std::byte, 4096> discarded{};
    static_cast<void>(::recv(client.get(), discarded.data(), discarded.size(), MSG_DONTWAIT));
  }
  client.reset();
  restore();
  return is_there ? Outcome::Refused : Outcome::NobodyThere;
}

}  // namespace pgweir::net
