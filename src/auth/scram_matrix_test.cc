// The two ends of SCRAM in all their states: each message that the other end can send.
// Source of truth: RFC 5802, section 5; PostgreSQL's auth-scram.c.

#include <gtest/gtest.h>

#include <array>

#include "auth/hash.h"
#include "auth/scram_client.h"
#include "auth/scram_exchange.h"
#include "auth/scram_server.h"
#include "base/matrix_test.h"

namespace pgweir::auth {
namespace {

using base::as_bytes;
using base::ErrorCode;

// One login: both ends, and what each has said.
struct Scene {
  explicit Scene(std::string_view password = "pencil") : client(options(password)) {}

  static const ScramVerifier& verifier() {
    static const base::ByteBuffer salt(16, std::byte{1});
    static const ScramVerifier verifier =
        make_scram_verifier(derive_scram_keys(base::Secret("pencil"), salt, 1), salt, 1);
    return verifier;
  }
  static ScramServerOptions options() {
    return {.secret = &verifier(), .tls_binding = {}, .nonce = "server"};
  }
  static ScramClientOptions options(std::string_view password) {
    return {
        .secret = base::Secret(password), .tls_binding = {}, .nonce = "client", .cache = nullptr};
  }

  void start() { client_first = client.start(std::array{kScramSha256})->message; }
  void challenge() {
    start();
    server_first = *server.handle_first(kScramSha256, as_bytes(client_first));
  }
  void prove() {
    challenge();
    client_final = *client.handle_continue(as_bytes(server_first));
  }
  void conclude() {
    prove();
    server_final = server.handle_final(as_bytes(client_final))->value_or("");
  }

  ScramServer server{options()};
  ScramClient client;
  std::string client_first, server_first, client_final, server_final;
};

std::string word_of(const base::Error& error) {
  return error.code == ErrorCode::ProtocolViolation ? "." : "refused";
}
template <class Answer>
std::string word_of(const base::Result<Answer>& answer, std::string_view good) {
  return answer.has_value() ? std::string(good) : word_of(answer.error());
}

struct ServerState {
  std::string_view name;
  std::string_view password;  // The client's.
  void (*reach)(Scene&);
};
const std::vector<ServerState> kServerStates{
    {"Fresh", "pencil", [](Scene&) {}},
    {"Challenged", "pencil", [](Scene& scene) { scene.challenge(); }},
    {"Accepted", "pencil", [](Scene& scene) { scene.conclude(); }},
    {"NotProved", "pen", [](Scene& scene) { scene.conclude(); }},
    {"Failed", "pencil",
     [](Scene& scene) { EXPECT_FALSE(scene.server.handle_first(kScramSha256, {}).has_value()); }},
};

struct Message {
  std::string_view name;
  std::string (*say)(Scene&);
};

std::string first(Scene& scene, std::string_view mechanism, std::string_view text) {
  return word_of(scene.server.handle_first(mechanism, as_bytes(text)), "asks");
}
std::string finish(Scene& scene, std::string_view text) {
  const auto answer = scene.server.handle_final(as_bytes(text));
  return word_of(answer, answer.has_value() && answer->has_value() ? "in" : "out");
}
// The client's, of another exchange where this one has not come so far.
std::string proof(const Scene& scene) {
  if (!scene.client_final.empty()) return scene.client_final;
  Scene twin;
  twin.prove();
  return twin.client_final;
}
std::string altered(std::string text, std::string_view before) {
  text[text.find(before) + before.size()] ^= 1;
  return text;
}

// Not a message: what a login elsewhere would be made with.
std::string keys(const Scene& scene) {
  const ScramKeys& proved = scene.server.keys();
  return sha256(proved.client_key) == Scene::verifier().stored_key ? "keys" : "others";
}

const std::vector<Message> kClientMessages{
    {"First", [](Scene& scene) { return first(scene, kScramSha256, "n,,n=,r=client"); }},
    {"Plus", [](Scene& scene) { return first(scene, kScramSha256Plus, "p=x,,n=,r=client"); }},
    {"Hidden", [](Scene& scene) { return first(scene, kScramSha256, "y,,n=,r=client"); }},
    {"Other", [](Scene& scene) { return first(scene, "SCRAM-SHA-1", "n,,n=,r=client"); }},
    {"Broken", [](Scene& scene) { return first(scene, kScramSha256, "n,,n=,r="); }},
    {"Final", [](Scene& scene) { return finish(scene, proof(scene)); }},
    {"Wrong", [](Scene& scene) { return finish(scene, altered(proof(scene), ",p=")); }},
    {"Nonce", [](Scene& scene) { return finish(scene, altered(proof(scene), ",r=")); }},
    {"Cut", [](Scene& scene) { return finish(scene, "c=biws,r=clientserver"); }},
    {"Keys", [](Scene& scene) { return keys(scene); }},
};

//   asks  the challenge    in, out  the proof is right, wrong    .  it breaks the protocol
//   refused  with other words       keys  those that were proved
TEST(ScramServerMatrix, every_message_in_every_state) {
  base::expect_matrix(R"(
               First Plus Hidden Other Broken Final Wrong Nonce Cut Keys
    Fresh      asks  .    asks   .     .      .     .     .     .   dies
    Challenged .     .    .      .     .      in    out   .     .   dies
    Accepted   .     .    .      .     .      .     .     .     .   keys
    NotProved  .     .    .      .     .      .     .     .     .   dies
    Failed     .     .    .      .     .      .     .     .     .   dies
  )",
                      base::names_of(kServerStates), base::names_of(kClientMessages),
                      [](std::size_t state, std::size_t message) {
                        Scene scene(kServerStates[state].password);
                        kServerStates[state].reach(scene);
                        return kClientMessages[message].say(scene);
                      });
}

struct ClientState {
  std::string_view name;
  void (*reach)(Scene&);
};
const std::vector<ClientState> kClientStates{
    {"Fresh", [](Scene&) {}},
    {"Started", [](Scene& scene) { scene.start(); }},
    {"Proved", [](Scene& scene) { scene.conclude(); }},
    {"Verified",
     [](Scene& scene) {
       scene.conclude();
       EXPECT_TRUE(scene.client.handle_final(as_bytes(scene.server_final)).has_value());
     }},
    {"Failed",
     [](Scene& scene) { EXPECT_FALSE(scene.client.handle_continue(as_bytes("r=x")).has_value()); }},
};

std::string start(Scene& scene, std::string_view mechanism) {
  return word_of(scene.client.start(std::array{mechanism}), "begins");
}
std::string go_on(Scene& scene, std::string_view text) {
  return word_of(scene.client.handle_continue(as_bytes(text)), "proves");
}
std::string end(Scene& scene, std::string_view text) {
  const base::Status status = scene.client.handle_final(as_bytes(text));
  return status.has_value() ? "believes" : word_of(status.error());
}
// The server's, of another exchange where this one has not come so far.
std::string signature(const Scene& scene) {
  if (!scene.server_final.empty()) return scene.server_final;
  Scene twin;
  twin.conclude();
  return twin.server_final;
}

const std::vector<Message> kServerMessages{
    {"Offer", [](Scene& scene) { return start(scene, kScramSha256); }},
    {"PlusOnly", [](Scene& scene) { return start(scene, kScramSha256Plus); }},
    {"Unknown", [](Scene& scene) { return start(scene, "SCRAM-SHA-1"); }},
    {"Continue", [](Scene& scene) { return go_on(scene, "r=clientserver,s=QUJD,i=1"); }},
    {"Replay", [](Scene& scene) { return go_on(scene, "r=client,s=QUJD,i=1"); }},
    {"Stranger", [](Scene& scene) { return go_on(scene, "r=otherserver,s=QUJD,i=1"); }},
    {"Final", [](Scene& scene) { return end(scene, signature(scene)); }},
    {"Wrong", [](Scene& scene) { return end(scene, altered(signature(scene), "v=")); }},
    {"Refusal", [](Scene& scene) { return end(scene, "e=invalid-proof"); }},
    {"Cut", [](Scene& scene) { return end(scene, "v="); }},
};

//   begins, proves  its next message     believes  the server    .  it breaks the protocol
//   refused         with other words     dies      forbidden by REQUIRES
TEST(ScramClientMatrix, every_message_in_every_state) {
  base::expect_matrix(R"(
             Offer  PlusOnly Unknown Continue Replay Stranger Final    Wrong   Refusal Cut
    Fresh    begins refused  refused .        .      .        .        .       .       .
    Started  dies   dies     dies    proves   .      .        .        .       .       .
    Proved   dies   dies     dies    .        .      .        believes refused refused refused
    Verified dies   dies     dies    .        .      .        .        .       .       .
    Failed   dies   dies     dies    .        .      .        .        .       .       .
  )",
                      base::names_of(kClientStates), base::names_of(kServerMessages),
                      [](std::size_t state, std::size_t message) {
                        Scene scene;
                        kClientStates[state].reach(scene);
                        return kServerMessages[message].say(scene);
                      });
}

}  // namespace
}  // namespace pgweir::auth
