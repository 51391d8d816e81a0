#include "control/signals.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>

namespace pgweir::control {

namespace {

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

}  // namespace

void block_signals(std::initializer_list<int> signals) {
  const sigset_t set = set_of(signals);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

base::Result<std::unique_ptr<Signals>> Signals::create(loop::Loop& loop,
                                                       std::initializer_list<int> signals,
                                                       std::function<void(int)> told) {
  const sigset_t set = set_of(signals);
  const int descriptor = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (descriptor < 0)
    return base::Error{base::ErrorCode::System, base::Side::Self, base::Retry::Never,
                       std::string("signals cannot be received: ") + std::strerror(errno)};
  return std::unique_ptr<Signals>(new Signals(loop, descriptor, std::move(told)));
}

Signals::Signals(loop::Loop& loop, int descriptor, std::function<void(int)> told)
    : loop_(loop), descriptor_(descriptor), told_(std::move(told)) {
  loop_.watch(descriptor_, {.read = true}, [this](loop::Interest) {
    signalfd_siginfo arrived{};
    while (read(descriptor_, &arrived, sizeof arrived) == sizeof arrived)
      told_(static_cast<int>(arrived.ssi_signo));
  });
}

Signals::~Signals() {
  loop_.forget(descriptor_);
  close(descriptor_);
}

}  // namespace pgweir::control
