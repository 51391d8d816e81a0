// Clients and servers on their way through Login, in each phase: bytes, ends, deadlines, handshakes
// and what a reload or the end of pgweir changes.
// Source of truth: PostgreSQL manual "Message Flow"; client_login.h and server_login.h.

#include <gtest/gtest.h>

#include <functional>

#include "base/matrix_test.h"
#include "proxy/login_scene_test.h"
#include "proxy/messages_test.h"
#include "wire/startup.h"

namespace pgweir::proxy {
namespace {

using base::CloseCause;
using std::chrono::seconds;
using Scene = LoginScene;

struct State {
  std::string_view name;
  std::function<void(Scene&)> reach;
};
struct Event {
  std::string_view name;
  std::function<bool(Scene&)> happen;  // False: it cannot.
};

template <class Act>
std::function<bool(Scene&)> does(Act act) {
  return [act](Scene& scene) {
    act(scene);
    return true;
  };
}
bool say_due(Scene& scene) {
  if (scene.due.empty()) return false;
  scene.say(scene.due);
  return true;
}

std::string packet(const base::ByteBuffer& bytes) { return std::string(base::as_text(bytes)); }
std::string startup(std::string_view database) {
  base::ByteBuffer out;
  wire::encode_startup(out, wire::kProtocol30,
                       {{"user", "app"}, {"database", std::string(database)}});
  return packet(out);
}
std::string ssl_request() {
  base::ByteBuffer out;
  wire::encode_ssl_request(out);
  return packet(out);
}
std::string cancel_request() {
  base::ByteBuffer out;
  wire::encode_cancel_request(out, {.pid = 7, .secret = base::ByteBuffer(4)});
  return packet(out);
}
std::string password(std::string_view text) { return say::message('p', say::zero_ended(text)); }

void accept(Scene& scene) {
  scene.login.handle_accepted(scene.id, {.text = "192.0.2.1:7"}, scene.now);
  scene.due = startup("app");
}
// Where a password in clear is taken without TLS.
void accept_local(Scene& scene) {
  scene.login.handle_accepted(scene.id, {.text = "unix:7", .is_unix = true}, scene.now);
  scene.due = startup("app");
}
void ask_for_tls(Scene& scene) {
  accept(scene);
  scene.say(ssl_request());
  scene.due.clear();
}

const std::vector<State> kClientStates{
    {"Fresh", accept},
    {"FreshLocal", accept_local},
    {"Handshake", ask_for_tls},
    {"Secured",
     [](Scene& scene) {
       ask_for_tls(scene);
       scene.login.handle_secured(scene.id, {}, scene.now);
       scene.due = startup("app");
     }},
    {"Asked",
     [](Scene& scene) {
       accept_local(scene);
       scene.say(startup("app"));
       scene.due = password("pencil");
     }},
    {"AskedElsewhere",  // For a database that there is not.
     [](Scene& scene) {
       accept_local(scene);
       scene.say(startup("none"));
       scene.due = password("pencil");
     }},
    {"Cancels",
     [](Scene& scene) {
       accept(scene);
       scene.say(cancel_request());
       scene.due = "whatever";
     }},
};

const std::vector<Event> kClientEvents{
    {"Due", say_due},
    {"Part", does([](Scene& scene) { scene.say("p\0\0"); })},
    {"Wrong", does([](Scene& scene) { scene.say(password("pen")); })},
    {"Query", does([](Scene& scene) { scene.say(say::query("select 1")); })},
    {"Terminate", does([](Scene& scene) { scene.say(say::terminate()); })},
    {"Eof", does([](Scene& scene) { scene.end(CloseCause::Eof); })},
    {"Timeout", does([](Scene& scene) { scene.pass(seconds(60)); })},
    {"Answered", does([](Scene& scene) {
       auto answered = std::make_unique<CancelAnswered>();
       answered->asker = scene.sent<CancelAsked>() ? scene.id : base::make_connection_id(2, 1);
       scene.deliver(std::move(answered));
     })},
    {"NoDatabase",
     [](Scene& scene) {
       scene.reload(false, false);
       return say_due(scene);
     }},
    {"TlsNeeded",
     [](Scene& scene) {
       scene.reload(true, true);
       return say_due(scene);
     }},
    {"Drain",
     [](Scene& scene) {
       scene.deliver(std::make_unique<Drain>());
       return say_due(scene);
     }},
};

std::string client_outcome(Scene& scene) {
  const bool is_counted = scene.counts.client_count.load() == 1;
  if (const auto* ready = scene.sent<ClientReady>()) {
    EXPECT_TRUE(is_counted) << "the Relay counts it now";
    EXPECT_TRUE(base::as_text(ready->verdict).ends_with(say::message('R', say::int32(0))));
    return "in";
  }
  const std::string said = scene.io.peer(scene.id).sent;
  const bool is_there = scene.login.party_count() == 1;
  EXPECT_EQ(is_counted, is_there);
  if (is_there) return said.empty() ? "wait" : "ask";
  if (!scene.io.peer(scene.id).is_closed) return "gone";
  return said.empty() ? "closed" : "told";
}

//   ask   it is asked for its password    in      it is logged in     wait  nothing happens
//   told  why its connection ends         closed  without a word      gone  by itself
//   -     nobody speaks during a handshake
TEST(LoginMatrix, every_event_in_every_phase_of_a_client) {
  base::expect_matrix(R"(
                   Due  Part Wrong Query Terminate Eof  Timeout Answered NoDatabase TlsNeeded Drain
    Fresh          told wait told  told  told      gone told    wait     told       told      told
    FreshLocal     ask  wait told  told  told      gone told    wait     ask        ask       ask
    Handshake      -    -    -     -     -         gone told    wait     -          -         -
    Secured        ask  wait told  told  told      gone told    wait     ask        ask       ask
    Asked          in   wait told  told  closed    gone told    wait     told       in        in
    AskedElsewhere told wait told  told  closed    gone told    wait     told       told      told
    Cancels        wait wait wait  wait  wait      gone closed  closed   wait       wait      wait
  )",
                      base::names_of(kClientStates), base::names_of(kClientEvents),
                      [](std::size_t state, std::size_t event) -> std::string {
                        Scene scene;
                        kClientStates[state].reach(scene);
                        scene.io.peer(scene.id).sent.clear();
                        const Event& what = kClientEvents[event];
                        const bool speaks =
                            what.name != "Eof" && what.name != "Timeout" && what.name != "Answered";
                        if (speaks && scene.due.empty()) return "-";
                        if (!what.happen(scene)) return "-";
                        return client_outcome(scene);
                      });
}

void open(Scene& scene, SslMode mode) {
  auto plan = std::make_shared<ServerPlan>();
  plan->database.hosts = {{.host = "127.0.0.1", .port = 5432, .address = {}}};
  plan->database.tls.mode = mode;
  plan->database.connect_query = "set a to 1";
  plan->server_database = plan->user = "app";
  auto order = std::make_unique<OpenServer>();
  order->plan = std::move(plan);
  scene.deliver(std::move(order));
  scene.id = scene.io.opened().back();
}
void connect(Scene& scene, SslMode mode) {
  open(scene, mode);
  scene.login.handle_opened(scene.id, scene.now);
}
// Without TLS, up to there.
void log_in(Scene& scene, const std::string& heard) {
  connect(scene, SslMode::Disable);
  if (!heard.empty()) scene.say(heard);
}

const std::string kOk = say::message('R', say::int32(0));

const std::vector<State> kServerStates{
    {"Connecting", [](Scene& scene) { open(scene, SslMode::Prefer); }},
    {"AwaitsTls",
     [](Scene& scene) {
       connect(scene, SslMode::Prefer);
       scene.due = "S";
     }},
    {"Handshake",
     [](Scene& scene) {
       connect(scene, SslMode::Prefer);
       scene.say("S");
     }},
    {"Secured",
     [](Scene& scene) {
       connect(scene, SslMode::Prefer);
       scene.say("S");
       scene.login.handle_secured(scene.id, {}, scene.now);
       scene.due = kOk;
     }},
    {"Denied",
     [](Scene& scene) {
       connect(scene, SslMode::Prefer);
       scene.say("N");
       scene.due = kOk;
     }},
    {"Asked",
     [](Scene& scene) {
       log_in(scene, "");
       scene.due = kOk;
     }},
    {"Welcomed",
     [](Scene& scene) {
       log_in(scene, kOk);
       scene.due = say::ready();
     }},
    {"Query",
     [](Scene& scene) {
       log_in(scene, kOk + say::ready());
       scene.due = say::complete("SET") + say::ready();
     }},
    {"Refused",
     [](Scene& scene) {
       log_in(scene, say::report('E', "FATAL", "53300", "too many clients"));
       scene.due = "whatever";
     }},
};

const std::vector<Event> kServerEvents{
    {"Due", say_due},
    {"Full", does([](Scene& scene) { scene.say(say::report('E', "FATAL", "53300", "full")); })},
    {"Confused", does([](Scene& scene) { scene.say(say::parse_complete()); })},
    {"ConnectFailed", does([](Scene& scene) { scene.end(CloseCause::ConnectFailed); })},
    {"TlsFailed", does([](Scene& scene) { scene.end(CloseCause::TlsFailed); })},
    {"Eof", does([](Scene& scene) { scene.end(CloseCause::Eof); })},
    {"Reset", does([](Scene& scene) { scene.end(CloseCause::Reset); })},
    {"Timeout", does([](Scene& scene) { scene.pass(seconds(5)); })},
    {"Reload", does([](Scene& scene) { scene.reload(false, true); })},
    {"Drain", does([](Scene& scene) { scene.deliver(std::make_unique<Drain>()); })},
};

std::string server_outcome(Scene& scene, bool has_failed_before) {
  EXPECT_FALSE(has_failed_before);
  if (scene.sent<ServerReady>() != nullptr) return "in";
  const auto* failed = scene.sent<ServerFailed>();
  if (failed == nullptr) return scene.io.opened().size() > 1 ? "again" : "wait";
  EXPECT_EQ(scene.login.party_count(), 0U);
  return std::string(failed->is_ended ? "failed" : "lost") + (failed->is_permanent ? "!" : "");
}

//   in     the Relay has it                    again  without TLS, as sslmode prefer says
//   failed and no backend of it can be left    lost   one may be left
//   !      waiting does not help               -      cannot be
TEST(LoginMatrix, every_event_in_every_phase_of_a_server) {
  base::expect_matrix(R"(
               Due  Full Confused ConnectFailed TlsFailed Eof    Reset  Timeout Reload Drain
    Connecting -    -    -        failed        -         -      -      failed  wait   wait
    AwaitsTls  wait lost lost     -             -         again  again  lost    wait   wait
    Handshake  -    -    -        -             again     again  again  lost    wait   wait
    Secured    wait wait lost!    -             -         again  again  lost    wait   wait
    Denied     wait wait lost!    -             -         failed lost   lost    wait   wait
    Asked      wait wait lost!    -             -         failed lost   lost    wait   wait
    Welcomed   wait wait lost!    -             -         failed lost   lost    wait   wait
    Query      in   wait wait     -             -         failed lost   lost    wait   wait
    Refused    wait wait wait     -             -         failed failed lost    wait   wait
  )",
                      base::names_of(kServerStates), base::names_of(kServerEvents),
                      [](std::size_t state, std::size_t event) -> std::string {
                        Scene scene;
                        kServerStates[state].reach(scene);
                        const std::string_view name = kServerStates[state].name;
                        const std::string_view what = kServerEvents[event].name;
                        const bool is_mute = name == "Connecting" || name == "Handshake";
                        if (is_mute && event <= 2) return "-";
                        if (what == "ConnectFailed" && name != "Connecting") return "-";
                        if (what == "TlsFailed" && name != "Handshake") return "-";
                        if (name == "Connecting" && (what == "Eof" || what == "Reset")) return "-";
                        const bool has_failed = scene.sent<ServerFailed>() != nullptr;
                        kServerEvents[event].happen(scene);
                        return server_outcome(scene, has_failed);
                      });
}

// What comes in the same read is the Relay's.
TEST(ServerLoginTest, keeps_what_is_said_behind_ready_for_query) {
  const std::string notice = say::notice("take care");
  for (std::size_t cut = 0; cut <= notice.size(); ++cut) {
    Scene scene;
    log_in(scene, kOk + say::ready());
    scene.say(say::complete("SET") + say::ready() + notice.substr(0, cut));
    const auto* ready = scene.sent<ServerReady>();
    ASSERT_NE(ready, nullptr);
    EXPECT_EQ(base::as_text(ready->rest), notice.substr(0, cut));
  }
}

}  // namespace
}  // namespace pgweir::proxy
