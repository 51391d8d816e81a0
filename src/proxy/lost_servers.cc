#include "proxy/lost_servers.h"

#include "proxy/events.h"

namespace pgweir::proxy {
namespace {

// A backend that never finished its login ends by itself: authentication_timeout, 1 min by default.
constexpr base::Duration kLoginBackendLife = std::chrono::seconds(60);

}  // namespace

void LostServers::add(const Server& server, base::Instant now) {
  const std::uint32_t pid = server.cancel_key.pid;
  state_.world.log.event(kServersLost,
                         {obs::kv("database", server.route->database), obs::kv("pid", pid)});
  lost_[server.token] = {.pool = server.route->pool,
                         .gives_up_at = pid == 0 ? now + kLoginBackendLife : base::kNever};
  if (pid == 0) return;
  auto lost = std::make_unique<ServerLost>();
  lost->token = server.token;
  lost->pid = pid;
  lost->node = server.route->node;
  state_.world.io.hand_over(base::ConnectionId::None, base::Mailbox::Control, std::move(lost));
}

void LostServers::handle_gone(const ServerGone& gone, base::Instant now) {
  const auto lost = lost_.find(gone.token);
  if (lost == lost_.end()) return;
  state_.shard.handle_lost_ended(lost->second.pool, now);
  lost_.erase(lost);
}

void LostServers::sweep(base::Instant now) {
  for (auto at = lost_.begin(); at != lost_.end();) {
    if (at->second.gives_up_at > now) {
      ++at;
      continue;
    }
    state_.shard.handle_lost_ended(at->second.pool, now);
    at = lost_.erase(at);
  }
}

}  // namespace pgweir::proxy
