// CancelRequests for a client in each of its states, with each key that somebody may show.
// Source of truth: PostgreSQL manual "Message Flow", "Canceling Requests in Progress".

#include <gtest/gtest.h>

#include <functional>

#include "base/matrix_test.h"
#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using Party = Stage::Party;

struct Scene {
  void ask(std::string_view sql) { stage.say(client, say::query(sql)); }
  void cancel(const wire::CancelKey& shown) {
    auto asked = std::make_unique<CancelAsked>();
    asked->key = shown;
    asked->asker = base::make_connection_id(500, 1);
    stage.deliver(std::move(asked));
  }

  Stage stage;
  Party client = stage.add_client();
  wire::CancelKey key = stage.key_of(client);
};

struct State {
  std::string_view name;
  std::function<void(Scene&)> reach;
};
const std::vector<State> kStates{
    {"Idle", [](Scene&) {}},
    {"Waiting",
     [](Scene& scene) {
       scene.stage.say(scene.stage.add_client(), say::query("select pg_sleep(100)"));
       scene.ask("select 1");
     }},
    {"Running", [](Scene& scene) { scene.ask("select pg_sleep(100)"); }},
    {"Pipelined",
     [](Scene& scene) {
       scene.ask("select pg_sleep(100)");
       scene.ask("select 2");
     }},
    {"CopyIn",
     [](Scene& scene) {
       scene.ask("copy t from stdin");
       scene.stage.say(scene.stage.server(), say::copy_in());
     }},
    {"InBlock",
     [](Scene& scene) {
       scene.ask("begin");
       scene.stage.say(scene.stage.server(), say::complete("BEGIN") + say::ready('T'));
     }},
    {"OpenBatch",
     [](Scene& scene) {
       scene.stage.say(scene.client, say::parse("", "select 1") + say::flush());
       scene.stage.say(scene.stage.server(), say::parse_complete());
     }},
    {"Cancelled",
     [](Scene& scene) {
       scene.ask("select pg_sleep(100)");
       scene.cancel(scene.key);
     }},
    {"Answered",
     [](Scene& scene) {
       scene.ask("select 1");
       scene.stage.say(scene.stage.server(), say::one_row());
     }},
    {"Vanished", [](Scene& scene) { scene.stage.end(scene.client); }},
};

struct Key {
  std::string_view name;
  void (*alter)(wire::CancelKey&);
};
const std::vector<Key> kKeys{
    {"Right", [](wire::CancelKey&) {}},
    {"OtherSecret", [](wire::CancelKey& key) { key.secret[0] ^= std::byte{1}; }},
    {"OtherPid", [](wire::CancelKey& key) { ++key.pid; }},
    {"NoPid", [](wire::CancelKey& key) { key.pid = 0; }},
    {"LongSecret", [](wire::CancelKey& key) { key.secret.resize(8); }},
};

std::string play(const State& state, const Key& key) {
  Scene scene;
  state.reach(scene);
  scene.stage.heard(scene.client);
  scene.stage.take<DeliverCancel>();
  scene.stage.take<CancelAnswered>();
  key.alter(scene.key);
  scene.cancel(scene.key);
  const std::size_t sent = scene.stage.take<DeliverCancel>().size();
  const bool is_answered = !scene.stage.take<CancelAnswered>().empty();
  if (scene.stage.heard(scene.client).find("57014") != std::string::npos) return "refused";
  if (sent != 0) return is_answered ? "?" : "sent";
  return is_answered ? "none" : "later";
}

//   sent     its server is told, and the asker answered afterwards
//   refused  it waited for a server, and waits no longer
//   later    behind the one that is under way       none  the asker is answered, and that is all
TEST(CancelsMatrix, every_key_in_every_state_of_a_client) {
  base::expect_matrix(
      R"(
              Right   OtherSecret OtherPid NoPid LongSecret
    Idle      none    none        none     none  none
    Waiting   refused none        none     none  none
    Running   sent    none        none     none  none
    Pipelined sent    none        none     none  none
    CopyIn    sent    none        none     none  none
    InBlock   none    none        none     none  none
    OpenBatch none    none        none     none  none
    Cancelled later   none        none     none  none
    Answered  none    none        none     none  none
    Vanished  none    none        none     none  none
  )",
      base::names_of(kStates), base::names_of(kKeys),
      [](std::size_t state, std::size_t key) { return play(kStates[state], kKeys[key]); });
}

}  // namespace
}  // namespace pgweir::proxy
