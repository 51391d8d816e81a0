// Effects: what a client's statements do to its session, as they complete: parameters that are to
// be carried to its next server, statements that are gone, reasons that pin it to this one. It
// reads tags and effects, never rows.
#pragma once

#include "proxy/batch.h"
#include "proxy/relay_state.h"
#include "session/statement_effect.h"

namespace pgweir::proxy {

class Effects {
 public:
  explicit Effects(RelayState& state) : state_(state) {}

  // The client keeps its server from now on. name: as PinSet::add() takes it.
  void pin(Client& client, session::PinReason reason, const std::string& name = {});
  // The same, if its parameters are what ties it: its texts cannot be read, since client_encoding
  // or standard_conforming_strings makes them mean something else, or it creates in pg_temp.
  void pin_if_bound(Client& client);
  // Has the server forget what the client before has left, as far as a reset would be too much for
  // it: where sequences are, and a seed of random(). Asked for before each request; there is nearly
  // always nothing to do.
  void clean(const Client& client, Server& server, Batch& batch);
  // The same, if a text with these effects, about to be sent, asks where sequences are.
  void clean_for(const Client& client, const session::StatementEffects& effects, Server& server,
                 Batch& batch);
  // A request with these effects is being sent. Reasons to pin hold from now on, whatever comes.
  void note_sent(Client& client, std::uint32_t tag, session::StatementEffects effects);
  // The same for a portal with a name; which Execute runs it is not followed.
  void note_bound(Client& client, const session::StatementEffects& effects);
  // One statement of the request `tag` reported CommandComplete with this command tag.
  void handle_complete(Client& client, Server& server, std::uint32_t tag,
                       std::string_view command_tag);
  // The request failed; its statements from here on did not happen. What was sent behind it stands.
  void handle_failed(Client& client, std::uint32_t tag);
  // The server reported a parameter while this client drives it.
  void handle_reported(Client& client, std::string_view name, std::string_view value);
  // ReadyForQuery for the request `tag`: outside of a transaction, what it changed holds now or
  // not.
  void handle_ready(Client& client, Server& server, std::uint32_t tag, char status);

 private:
  void note_taint(Client& client, session::PinReason reason);
  void apply(Client& client, Server& server, const session::StatementEffect& effect);
  void note_may_end(ClientSession& session, const Server& server);
  void forget_all(Client& client, Server& server);
  void end_transaction(Client& client, Server& server, bool is_committed);
  void take_reports(Client& client, Server& server);
  void take_unreported(Client& client, Server& server);
  std::string_view value_of(const Client& client, std::string_view name) const;

  RelayState& state_;
};

// Points `held` at another set, references counted.
void assign(session::ParameterTable& table, session::ParameterSetId& held,
            session::ParameterSetId next);

}  // namespace pgweir::proxy
