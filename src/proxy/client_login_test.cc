// Logins with passwords across a reload: what holds for whom.
#include "proxy/client_login.h"

#include <gtest/gtest.h>

#include "proxy/login_scene_test.h"
#include "proxy/messages_test.h"
#include "wire/startup.h"

namespace pgweir::proxy {
namespace {

std::string startup() {
  base::ByteBuffer out;
  wire::encode_startup(out, wire::kProtocol30, {{"user", "app"}, {"database", "app"}});
  return std::string(base::as_text(out));
}

// A client over a Unix socket, asked for its password.
void come(LoginScene& scene, std::uint32_t slot) {
  scene.id = base::make_connection_id(slot, 1);
  scene.login.handle_accepted(scene.id, {.text = "unix:7", .is_unix = true}, scene.now);
  scene.say(startup());
}

// Whether it comes in with this password.
bool prove(LoginScene& scene, std::string_view password) {
  scene.io.parcels().clear();
  scene.say(say::message('p', say::zero_ended(password)));
  return scene.sent<ClientReady>() != nullptr;
}

void change_password(LoginScene& scene, std::string_view to) {
  auto changed = std::make_unique<OptionsChanged>();
  auto options = std::make_shared<Options>(*LoginScene::make_options(true));
  options->users.emplace(options->users.begin())->name = "another";  // The others move up.
  options->users.back().secret = base::Secret(to);
  changed->options = std::move(options);
  scene.deliver(std::move(changed));
}

TEST(ClientLoginTest, a_password_is_read_once_and_holds_until_the_next_reload) {
  LoginScene scene;
  for (const std::uint32_t slot : {1U, 2U}) {
    come(scene, slot);
    EXPECT_TRUE(prove(scene, "pencil"));
  }
  change_password(scene, "brush");
  come(scene, 3);
  EXPECT_FALSE(prove(scene, "pencil"));
  come(scene, 4);
  EXPECT_TRUE(prove(scene, "brush"));
}

TEST(ClientLoginTest, a_login_that_is_under_way_ends_with_what_it_began_with) {
  LoginScene scene;
  come(scene, 1);
  change_password(scene, "brush");
  EXPECT_TRUE(prove(scene, "pencil"));
}

}  // namespace
}  // namespace pgweir::proxy
