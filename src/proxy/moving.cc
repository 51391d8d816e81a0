#include "proxy/moving.h"

#include <algorithm>
#include <vector>

#include "proxy/leases.h"

namespace pgweir::proxy {

void follow_route(Client& client) {
  ASSERT(client.server == nullptr && !client.is_waiting());
  while (client.route->successor != nullptr) {
    --client.route->client_count;
    client.route = client.route->successor;
    ++client.route->client_count;
  }
}

void move_clients(RelayState& state, base::Instant now) {
  std::vector<Client*> waiting;
  state.registry.for_each_client([&](Client& client) {
    if (client.route->successor == nullptr || client.server != nullptr) return;
    if (client.is_waiting()) {
      waiting.push_back(&client);
    } else {
      follow_route(client);
    }
  });
  std::stable_sort(waiting.begin(), waiting.end(),
                   [](const Client* a, const Client* b) { return a->since() < b->since(); });
  for (Client* client : waiting) {
    state.shard.leave(*client);
    follow_route(*client);
    // A pool that was made a moment ago has no server yet.
    const bool has_server = state.leases->acquire(*client, now);
    ASSERT(!has_server);
  }
}

}  // namespace pgweir::proxy
