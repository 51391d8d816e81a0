// ParameterReplay: a client's parameters go with it from server to server. It sends a SET for what
// the client has and its server lacks, understands what the server reports of it, and says what the
// client is to read. What a client's own statements do to its parameters is effects.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/batch.h"
#include "proxy/relay_state.h"
#include "wire/reply.h"

namespace pgweir::proxy {

class ParameterReplay {
 public:
  explicit ParameterReplay(RelayState& state) : state_(state) {}

  // Puts the SET in front of what the batch is to hold; nothing if the server has all of it. False
  // if a value is not proven: then the answer must be awaited, since a statement behind a value
  // that is refused must not run (Client::is_settling).
  // Inside a transaction only what a RESET has led astray is put right, which is proven.
  bool align(Client& client, Server& server, Batch& batch);
  // The server has taken what align() sent, and the client waits no longer.
  void settle(Client& client, Server& server);

  // A ParameterStatus; `raw` is the whole message. The batch gets what the client is to read.
  void take_status(Server& server, base::Bytes body, base::Bytes raw, Batch& batch);
  // The servers of this pool report another value than before: whoever has none of its own is told.
  void note_default(Route& route, std::string_view name, std::string_view value);
  // The client's parameters are other than `before`, and the server has reported only the names in
  // `told`: the batch gets the rest.
  void tell_restored(const Client& client, session::ParameterSetId before,
                     const std::vector<std::string>& told, Batch& batch);

 private:
  void bring_back(Client& client, Server& server, Batch& batch);
  void presume_unchanged(const Client& client, Server& server);
  // True if the server has to be asked for anything.
  bool lead(Server& server, session::ParameterSetId from, session::ParameterSetId to, Batch& batch);
  void change_encoding_first(Server& server, session::ParameterSetId from,
                             session::ParameterSetId to, Batch& batch);
  static void ask(Server& server, std::string_view sql, Batch& batch);
  void take_default(const Server& server, const wire::ParameterStatus& status);
  void take_answer(Client& client, Server& server, const wire::ParameterStatus& status,
                   base::Bytes raw, Batch& batch);
  static void forward(const Client& client, const wire::ParameterStatus& status, base::Bytes raw,
                      Batch& batch);

  RelayState& state_;
};

}  // namespace pgweir::proxy
