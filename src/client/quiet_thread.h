// start_quiet_thread: a thread of the library's inside somebody else's program. It takes no
// signals: those are for the program's own threads.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <string>
#include <thread>
#include <utility>

namespace pgweir::client {

// name: at most 15 characters. Nobody joins it: it ends when `body` does.
template <class Body>
void start_quiet_thread(std::string name, Body body) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([name = std::move(name), body = std::move(body)]() mutable {
    ::pthread_setname_np(::pthread_self(), name.c_str());
    body();
  }).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace pgweir::client
