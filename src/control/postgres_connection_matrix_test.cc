// PostgresConnection in each of its states, and whatever can happen to it: libpq against a server
// that does what it is told.
// Source of truth: postgres_connection.h; PostgreSQL manual, "Message Flow".

#include <gtest/gtest.h>

#include "base/matrix_test.h"
#include "control/postgres_connection.h"
#include "control/scripted_server_test.h"

namespace pgweir::control {
namespace {

using namespace std::chrono_literals;

// A connection, and what it has told.
struct Scene : ScriptedStage {
  void note(std::string_view what) { told += told.empty() ? what : "," + std::string(what); }
  void connect() {
    proxy::DatabaseOptions database = server.database();
    database.connect_timeout = 5s;
    connection->connect(
        config::make_connection_parameters(database, "test", {}).value(),
        [this](const auto& failure) { note(failure ? to_text(failure->kind) : "connected"); });
    connection->when_lost([this](const insight::Failure& failure) { note(to_text(failure.kind)); });
    settle();
  }
  void log_in() {
    connect();
    server.let_in();
    settle();
  }
  void query() {
    connection->query({"select 1", {}, 5s}, [this](const Answer& answer) {
      const auto* failure = std::get_if<insight::Failure>(&answer);
      note(failure == nullptr ? "rows" : to_text(failure->kind));
    });
    settle();
  }
  void close() {
    connection->close([this](bool is_proven) { note(is_proven ? "ended" : "unseen"); });
    settle();
  }

  std::unique_ptr<PostgresConnection> connection = std::make_unique<PostgresConnection>(*loop);
  std::string told;
};

struct Step {
  std::string_view name;
  void (*happen)(Scene&);
  bool is_servers = false;  // It takes a connection to do it on.
};
const std::vector<Step> kStates{
    {"New", [](Scene&) {}},
    {"Connecting", [](Scene& scene) { scene.connect(); }},
    {"Idle", [](Scene& scene) { scene.log_in(); }},
    {"Busy",
     [](Scene& scene) {
       scene.log_in();
       scene.query();
     }},
    {"Refused",
     [](Scene& scene) {
       scene.connect();
       scene.server.end_with("53300");
       scene.settle();
     }},
    {"Late",
     [](Scene& scene) {
       scene.log_in();
       scene.query();
       scene.pass(6s);
     }},
    {"Lost",
     [](Scene& scene) {
       scene.log_in();
       scene.server.end();
       scene.settle();
     }},
    {"Left",
     [](Scene& scene) {
       scene.log_in();
       scene.server.stop_looking();
       scene.close();
     }},
};
const std::vector<Step> kSayings{
    {"LetIn", [](Scene& scene) { scene.server.let_in(); }, true},
    {"Answer", [](Scene& scene) { scene.server.answer({"1"}); }, true},
    {"Error", [](Scene& scene) { scene.server.refuse_statement(); }, true},
    {"Notice", [](Scene& scene) { scene.server.say_something(); }, true},
    {"Full", [](Scene& scene) { scene.server.end_with("53300"); }, true},
};
const std::vector<Step> kHappenings{
    {"Ended", [](Scene& scene) { scene.server.end_with("57P01"); }, true},
    {"Eof", [](Scene& scene) { scene.server.end(); }, true},
    {"Time", [](Scene& scene) { scene.pass(11s); }},
    {"Query", [](Scene& scene) { scene.query(); }},
    {"Close", [](Scene& scene) { scene.close(); }},
    {"Destroy", [](Scene& scene) { scene.connection.reset(); }},
};

std::string play(const Step& state, const Step& event) {
  Scene scene;
  state.happen(scene);
  scene.told.clear();
  if (event.is_servers && !scene.server.has_connection()) return "-";
  event.happen(scene);
  scene.settle();
  const bool is_there = scene.connection != nullptr && scene.connection->is_connected();
  const bool is_idle = is_there && scene.connection->is_idle();
  return (scene.told.empty() ? "" : scene.told + ":") + (is_idle    ? "idle"
                                                         : is_there ? "busy"
                                                                    : "none");
}

// Events: the server lets it in, answers with rows, refuses the statement, says something by the
// way, has no place for it, ends it in order, or is gone; 11 s pass; we ask, close, destroy.
// Cells: what is told, and what the connection is then good for. `-`: there is no server's end.
TEST(PostgresConnectionMatrix, every_event_in_every_state) {
  base::expect_matrix(
      R"(
                 LetIn          Answer      Error          Notice      Full
      New        -              -           -              -           -
      Connecting connected:idle other:none  other:none     other:none  too_many_connections:none
      Idle       idle           idle        idle           idle        lost:none
      Busy       lost:idle      rows:idle   statement:idle busy        statement:none
      Refused    -              -           -              -           -
      Late       none           none        none           none        none
      Lost       -              -           -              -           -
      Left       none           none        none           none        unseen:none
  )",
      base::names_of(kStates), base::names_of(kSayings),
      [](std::size_t state, std::size_t event) { return play(kStates[state], kSayings[event]); });
  base::expect_matrix(
      R"(
                 Ended       Eof         Time           Query Close      Destroy
      New        -           -           none           dies  ended:none none
      Connecting lost:none   lost:none   timed_out:none dies  ended:none none
      Idle       lost:none   lost:none   idle           busy  ended:none none
      Busy       lost:none   lost:none   timed_out:none dies  ended:none none
      Refused    -           -           none           dies  ended:none none
      Late       none        none        none           dies  ended:none none
      Lost       -           -           none           dies  ended:none none
      Left       unseen:none unseen:none unseen:none    dies  dies       none
  )",
      base::names_of(kStates), base::names_of(kHappenings),
      [](std::size_t state, std::size_t event) {
        return play(kStates[state], kHappenings[event]);
      });
}

}  // namespace
}  // namespace pgweir::control
