#include "pgweir/shutdown_guard.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <utility>

namespace pgweir {
inline namespace v1 {

class shutdown_guard::state {
 public:
  state(database_pool& db, shutdown_options options, std::initializer_list<int> signals)
      : db_(db), options_(std::move(options)) {
    ::sigemptyset(&signals_);
    for (const int signal : signals) ::sigaddset(&signals_, signal);
    ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
    arrivals_ = ::signalfd(-1, &signals_, SFD_CLOEXEC);
    over_ = ::eventfd(0, EFD_CLOEXEC);
    end_ = ::eventfd(0, EFD_CLOEXEC);
    if (arrivals_ < 0 || over_ < 0 || end_ < 0) {
      release();
      throw_error(
          {.kind = error_kind::config, .text = "no descriptor is left to wait for signals with"});
    }
    waiting_ = std::thread([this] { wait(); });
  }
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state() {
    ::eventfd_write(end_, 1);
    waiting_.join();
    if (shutting_down_.joinable()) shutting_down_.join();
    release();
  }

 private:
  void wait() {
    ::pthread_setname_np(::pthread_self(), "pgweir-signals");
    std::array<pollfd, 3> polled{{{.fd = arrivals_, .events = POLLIN, .revents = 0},
                                  {.fd = over_, .events = POLLIN, .revents = 0},
                                  {.fd = end_, .events = POLLIN, .revents = 0}}};
    while (true) {
      ::poll(polled.data(), polled.size(), -1);
      if (polled[1].revents != 0) return raise_again();
      if (polled[2].revents != 0) return;
      if (polled[0].revents != 0) handle_signal();
    }
  }

  void handle_signal() {
    signalfd_siginfo arrived{};
    if (::read(arrivals_, &arrived, sizeof arrived) != sizeof arrived) return;
    const bool is_second = std::exchange(signal_, static_cast<int>(arrived.ssi_signo)) != 0;
    if (is_second) return raise_again();
    // On a thread of its own, so that a second signal is heard meanwhile.
    shutting_down_ = std::thread([this, signal = signal_] {
      if (options_.on_signal) options_.on_signal(signal);
      const shutdown_report report = db_.shutdown(options_.drain);
      if (options_.on_shutdown) options_.on_shutdown(report);
      ::eventfd_write(over_, 1);
    });
  }

  // This thread is the one that does not block it.
  void raise_again() {
    sigset_t one;
    ::sigemptyset(&one);
    ::sigaddset(&one, signal_);
    ::kill(::getpid(), signal_);
    ::pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
    // A program that handles it lives on.
    ::pthread_sigmask(SIG_BLOCK, &one, nullptr);
    ::eventfd_t ignored = 0;
    ::eventfd_read(end_, &ignored);
  }

  void release() {
    for (const int descriptor : {arrivals_, over_, end_}) {
      if (descriptor >= 0) ::close(descriptor);
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  database_pool& db_;
  const shutdown_options options_;
  sigset_t signals_{};
  sigset_t before_{};
  int arrivals_ = -1;  // A signalfd.
  int over_ = -1;      // An eventfd: the pool is shut down.
  int end_ = -1;       // An eventfd: the guard goes.
  int signal_ = 0;     // That has arrived.
  std::thread waiting_;
  std::thread shutting_down_;
};

shutdown_guard::shutdown_guard(database_pool& db, shutdown_options options,
                               std::initializer_list<int> signals)
    : state_(std::make_unique<state>(db, std::move(options), signals)) {}

shutdown_guard::~shutdown_guard() = default;

}  // namespace v1
}  // namespace pgweir
