// CancelDelivery on its way to a server, in the clear and with TLS, and whatever can happen to it.
// Source of truth: PostgreSQL manual "Canceling Requests in Progress".

#include <gtest/gtest.h>

#include <algorithm>

#include "base/matrix_test.h"
#include "proxy/login_scene_test.h"
#include "wire/startup.h"

namespace pgweir::proxy {
namespace {

using base::CloseCause;
using std::chrono::seconds;

// What the reactor lets happen.
enum class Phase { Connecting, Open, Handshake };

struct Scene : LoginScene {
  void order(bool is_secured, TlsNegotiation negotiation) {
    auto plan = std::make_shared<ServerPlan>();
    plan->database.tls.negotiation = negotiation;
    auto cancel = std::make_unique<DeliverCancel>();
    cancel->plan = std::move(plan);
    cancel->is_secured = is_secured;
    cancel->key = {.pid = 7, .secret = base::ByteBuffer(4)};
    deliver(std::move(cancel));
    id = io.opened().back();
  }
  void open() {
    phase = Phase::Open;
    login.handle_opened(id, now);
    note_handshake();
  }
  void hear(std::string_view bytes) {
    say(bytes);
    note_handshake();
  }
  void secure() {
    phase = Phase::Open;
    login.handle_secured(id, {}, now);
  }
  void note_handshake() {
    if (std::exchange(io.peer(id).is_shaking_hands, false)) phase = Phase::Handshake;
  }

  void call() { order(false, TlsNegotiation::Postgres); }
  void send() {
    call();
    open();
  }
  void call_for_tls() { order(true, TlsNegotiation::Postgres); }
  void ask_for_tls() {
    call_for_tls();
    open();
  }
  void shake_hands() {
    ask_for_tls();
    hear("S");
  }
  void send_in_tls() {
    shake_hands();
    secure();
  }
  void call_directly() { order(true, TlsNegotiation::Direct); }
  void shake_hands_directly() {
    call_directly();
    open();
  }

  Phase phase = Phase::Connecting;
};

struct State {
  std::string_view name;
  void (Scene::*reach)();
};
const std::vector<State> kStates{
    {"Calling", &Scene::call},
    {"Sent", &Scene::send},
    {"CallingForTls", &Scene::call_for_tls},
    {"AskedForTls", &Scene::ask_for_tls},
    {"Handshake", &Scene::shake_hands},
    {"SentInTls", &Scene::send_in_tls},
    {"CallingDirectly", &Scene::call_directly},
    {"DirectHandshake", &Scene::shake_hands_directly},
};

struct Event {
  std::string_view name;
  std::vector<Phase> phases;  // In which it can happen.
  void (*happen)(Scene&);
};
const std::vector<Phase> kAfterOpening{Phase::Open, Phase::Handshake};
const std::vector<Event> kEvents{
    {"Opened", {Phase::Connecting}, [](Scene& scene) { scene.open(); }},
    {"Granted", {Phase::Open}, [](Scene& scene) { scene.hear("S"); }},
    {"Denied", {Phase::Open}, [](Scene& scene) { scene.hear("N"); }},
    {"Two", {Phase::Open}, [](Scene& scene) { scene.hear("SS"); }},
    {"Secured", {Phase::Handshake}, [](Scene& scene) { scene.secure(); }},
    {"Refused", {Phase::Connecting}, [](Scene& scene) { scene.end(CloseCause::ConnectFailed); }},
    {"TlsFailed", {Phase::Handshake}, [](Scene& scene) { scene.end(CloseCause::TlsFailed); }},
    {"Eof", kAfterOpening, [](Scene& scene) { scene.end(CloseCause::Eof); }},
    {"Reset", kAfterOpening, [](Scene& scene) { scene.end(CloseCause::Reset); }},
    {"Time",
     {Phase::Connecting, Phase::Open, Phase::Handshake},
     [](Scene& scene) { scene.pass(seconds(10)); }},
};

std::string play(const State& state, const Event& event) {
  Scene scene;
  (scene.*state.reach)();
  const auto& phases = event.phases;
  if (std::find(phases.begin(), phases.end(), scene.phase) == phases.end()) return "-";
  scene.io.peer(scene.id).sent.clear();
  event.happen(scene);
  if (const auto* delivered = scene.sent<CancelDelivered>()) {
    EXPECT_EQ(scene.login.party_count(), 0U);
    EXPECT_EQ(scene.io.parcels().size(), 1U);
    return delivered->is_confirmed ? "over" : "doubt";
  }
  const std::size_t sent = scene.io.peer(scene.id).sent.size();
  if (scene.phase == Phase::Handshake) return "tls";
  return sent == 0 ? "wait" : sent == 8 ? "asks" : "sends";
}

//   asks  for TLS     tls  a handshake begins     sends  the CancelRequest
//   over  it has been delivered or never will be     doubt  it may still strike
TEST(CancelDeliveryMatrix, every_event_in_every_state) {
  base::expect_matrix(
      R"(
                    Opened Granted Denied Two  Secured Refused TlsFailed Eof  Reset Time
    Calling         sends  -       -      -    -       over    -         -    -     over
    Sent            -      wait    wait   wait -       -       -         over doubt doubt
    CallingForTls   asks   -       -      -    -       over    -         -    -     over
    AskedForTls     -      tls     over   over -       -       -         over over  over
    Handshake       -      -       -      -    sends   -       over      over over  over
    SentInTls       -      wait    wait   wait -       -       -         over doubt doubt
    CallingDirectly tls    -       -      -    -       over    -         -    -     over
    DirectHandshake -      -       -      -    sends   -       over      over over  over
  )",
      base::names_of(kStates), base::names_of(kEvents),
      [](std::size_t state, std::size_t event) { return play(kStates[state], kEvents[event]); });
}

}  // namespace
}  // namespace pgweir::proxy
