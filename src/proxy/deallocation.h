// Deallocation: DEALLOCATE in SQL of a statement that the client has prepared by the protocol. The
// server knows it under a name of ours, for others perhaps, too; it is given another to forget.
#pragma once

#include <string>
#include <string_view>

#include "proxy/batch.h"
#include "proxy/relay_state.h"
#include "session/statement_effect.h"

namespace pgweir::proxy {

// Cheap enough to ask of every text: most do not begin with a D.
inline bool may_deallocate(std::string_view text) {
  return text.size() >= 11 && (text.front() == 'D' || text.front() == 'd');
}

// A text that does nothing else: what the server is to be told instead; empty if the effects are
// not that, or the server would refuse whatever it is. request: the message that carries the text,
// Query or Parse. REQUIRES: the client has a server.
std::string translate_deallocate(RelayState& state, Client& client,
                                 const session::StatementEffects& effects, session::Request request,
                                 Batch& batch);
// Whether these are the effects of what translate_deallocate() returned.
bool is_translated_deallocation(const session::StatementEffects& effects);

// A text of several statements finds the names that it deallocates on the server.
void expect_deallocates(RelayState& state, Client& client, const session::StatementEffects& effects,
                        Batch& batch);

}  // namespace pgweir::proxy
