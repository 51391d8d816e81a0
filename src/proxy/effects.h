// Effects: what a client's statements do to its session, as they complete: parameters that are to
// be carried to its next server, statements that are gone, reasons that pin it to this one. It
// reads tags and effects, never rows.
#pragma once

#include "proxy/relay_state.h"
#include "session/statement_effect.h"

namespace pgweir::proxy {

class Effects {
 public:
  explicit Effects(RelayState& state) : state_(state) {}

  // A request with these effects is being sent. Reasons to pin hold from now on, whatever comes.
  void note_sent(Client& client, std::uint32_t tag, session::StatementEffects effects);
  // One statement of the request `tag` reported CommandComplete with this command tag.
  void handle_complete(Client& client, Server& server, std::uint32_t tag,
                       std::string_view command_tag);
  // The request failed; its statements from here on did not happen.
  void handle_failed(Client& client, std::uint32_t tag);
  // The server reported a parameter while this client drives it.
  void handle_reported(Client& client, std::string_view name, std::string_view value);
  // ReadyForQuery: outside of a transaction, what it changed now holds or not.
  void handle_ready(Client& client, Server& server, char status);

 private:
  void apply(Client& client, Server& server, const session::StatementEffect& effect);
  void forget_all(Client& client, Server& server);
  void take_over(Client& client, Server& server, session::ParameterSetId next);

  RelayState& state_;
};

// Points `held` at another set, references counted.
void assign(session::ParameterTable& table, session::ParameterSetId& held,
            session::ParameterSetId next);

}  // namespace pgweir::proxy
