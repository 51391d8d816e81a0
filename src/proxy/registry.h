// Registry: who is behind a connection of the Relay: a client, a server, or nobody any more. It
// owns both; what was removed lives until the end of the current event, since its callers may still
// hold it.
#pragma once

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <vector>

#include "proxy/client.h"
#include "proxy/server.h"

namespace pgweir::proxy {

class Registry {
 public:
  // relay: whose it is; its servers' tokens say so.
  explicit Registry(pool::ReactorIndex relay) : relay_(relay) {}

  struct Party {
    Client* client = nullptr;
    Server* server = nullptr;
  };

  Party find(base::ConnectionId id) const {
    const std::uint32_t slot = base::slot_of(id);
    if (slot >= slots_.size() || slots_[slot].id != id) return {};
    return {slots_[slot].client.get(), slots_[slot].server};
  }
  // By the slot that a cancel key names.
  Client* find_client(std::uint32_t slot) const {
    return slot < slots_.size() ? slots_[slot].client.get() : nullptr;
  }
  Server* find(ServerToken token) const {
    const auto at = servers_.find(token);
    return at == servers_.end() ? nullptr : at->second.get();
  }

  Client& add_client(base::ConnectionId id) {
    Slot& slot = occupy(id);
    slot.client = std::make_unique<Client>();
    slot.client->id = id;
    ++client_count_;
    return *slot.client;
  }
  // A server that has no connection yet.
  Server& add_server(session::StatementTable& table) {
    const ServerToken token = make_server_token(relay_, ++last_token_);
    auto server = std::make_unique<Server>(table);
    server->token = token;
    return *servers_.emplace(token, std::move(server)).first->second;
  }
  void connect(Server& server, base::ConnectionId id) {
    occupy(id).server = &server;
    server.id = id;
  }
  // Its connection is dead; the server stays.
  void disconnect(Server& server) {
    if (server.id == base::ConnectionId::None) return;
    slots_[base::slot_of(server.id)] = {};
    server.id = base::ConnectionId::None;
  }

  void remove(Client& client) {
    Slot& slot = slots_[base::slot_of(client.id)];
    removed_clients_.push_back(std::move(slot.client));
    slot = {};
    --client_count_;
  }
  void remove(Server& server) {
    disconnect(server);
    const auto at = servers_.find(server.token);
    removed_servers_.push_back(std::move(at->second));
    servers_.erase(at);
  }
  // Called at the end of each event.
  void bury() {
    removed_clients_.clear();
    removed_servers_.clear();
  }

  std::uint32_t client_count() const { return client_count_; }
  std::size_t server_count() const { return servers_.size(); }
  // Of all servers, oldest first: for visits in which what is done about one may end another.
  std::vector<ServerToken> tokens() const {
    std::vector<ServerToken> tokens;
    tokens.reserve(servers_.size());
    for (const auto& [token, server] : servers_) tokens.push_back(token);
    std::sort(tokens.begin(), tokens.end());
    return tokens;
  }
  template <class Visit>
  void for_each_server(Visit visit) {
    for (auto& [token, server] : servers_) visit(*server);
  }
  // The visitor may remove the client that it is given.
  template <class Visit>
  void for_each_client(Visit visit) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].client != nullptr) visit(*slots_[i].client);
    }
  }

 private:
  struct Slot {
    base::ConnectionId id = base::ConnectionId::None;
    std::unique_ptr<Client> client;
    Server* server = nullptr;
  };

  Slot& occupy(base::ConnectionId id) {
    const std::uint32_t slot = base::slot_of(id);
    if (slot >= slots_.size()) slots_.resize(slot + 1);
    ASSERT(slots_[slot].client == nullptr && slots_[slot].server == nullptr);
    slots_[slot].id = id;
    return slots_[slot];
  }

  const pool::ReactorIndex relay_;
  std::vector<Slot> slots_;
  std::unordered_map<ServerToken, std::unique_ptr<Server>> servers_;
  std::uint64_t last_token_ = 0;
  std::uint32_t client_count_ = 0;
  std::vector<std::unique_ptr<Client>> removed_clients_;
  std::vector<std::unique_ptr<Server>> removed_servers_;
};

}  // namespace pgweir::proxy
