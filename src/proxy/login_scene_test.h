// LoginScene: a Login, one connection in it, and what it has said and handed over.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>

#include "obs/captured_log.h"
#include "proxy/login.h"
#include "proxy/scripted_io_test.h"

namespace pgweir::proxy {

struct Zeros final : base::Entropy {
  void fill(std::span<std::byte> out) override { std::fill(out.begin(), out.end(), std::byte{}); }
};

// A Login with one connection in it: a client's, or one to a server.
struct LoginScene {
  void say(std::string_view bytes) { login.handle_bytes(id, base::as_bytes(bytes), now); }
  void end(base::CloseCause cause) { login.handle_closed(id, cause, "so it is", now); }
  void deliver(std::unique_ptr<base::Parcel> parcel) {
    login.handle_parcel(base::ConnectionId::None, std::move(parcel), now);
  }
  void reload(bool has_database, bool needs_tls) {
    auto changed = std::make_unique<OptionsChanged>();
    changed->options = make_options(has_database);
    changed->client_tls = {.is_offered = true, .is_required = needs_tls};
    deliver(std::move(changed));
  }
  void pass(base::Duration time) {
    now += time;
    if (io.wake() <= now) {
      io.take_wake();
      login.handle_wake(now);
    }
  }
  // The parcel of this kind that Login has handed over; nullptr: none.
  template <class T>
  const T* sent() {
    for (const auto& parcel : io.parcels()) {
      if (const auto* found = dynamic_cast<const T*>(parcel.get())) return found;
    }
    return nullptr;
  }

  static std::shared_ptr<const Options> make_options(bool has_database) {
    auto options = std::make_shared<Options>();
    options->auth_method = AuthMethod::Cleartext;
    UserOptions& user = options->users.emplace_back();
    user.name = "app";
    user.secret = base::Secret("pencil");
    if (has_database) options->databases.emplace_back().name = "app";
    return options;
  }

  base::Instant now{std::chrono::seconds(1000)};
  ScriptedIo io;
  Zeros entropy;
  obs::CapturedLog log;
  SharedCounts counts;
  pool::Exchange exchange;
  Placement placement{exchange};
  Login login{io, entropy, log, counts, placement, make_options(true), {.is_offered = true}};
  base::ConnectionId id = base::make_connection_id(1, 1);
  std::string due;  // What the other side would say next.
};

}  // namespace pgweir::proxy
