// Statements: the extended protocol's names. A client's statement names become names of ours on the
// server, a statement that a Bind needs and the server lacks is parsed in front of it, and what the
// server has already is answered here. It notes what answers are due and sends nothing itself.
#pragma once

#include <string>
#include <string_view>

#include "proxy/batch.h"
#include "proxy/relay_state.h"
#include "wire/frame.h"
#include "wire/query.h"

namespace pgweir::proxy {

class Statements {
 public:
  explicit Statements(RelayState& state) : state_(state) {}

  // REQUIRES, for all: the client has a server, which is not skipping to Sync. `raw` is the message
  // as it came, header included.
  // Errors: LimitReached, when the client has too many statements.
  base::Status take_parse(Client& client, const wire::ParseMessage& message, base::Bytes raw,
                          Batch& batch);
  // Whether it depends on the answers to earlier batches what the client's name stands for, or
  // whether it is free to be defined. If so the server is asked for them, and the message that
  // names it has to wait (Client::awaits_quiet).
  bool awaits_name(Client& client, std::string_view name, bool is_to_be_defined, Batch& batch);
  // A Parse that is too long to be kept: the client's name is the server's, too, and the client
  // stays with that server. Errors: LimitReached, if the name stands for a statement that is kept.
  base::Status take_long_parse(Client& client, std::string_view name);
  // A Parse of a text that some server has accepted, under a name that is free: it needs no server,
  // and is settled with this call. REQUIRES: the client has none. False: not that.
  bool take_known_parse(Client& client, const wire::ParseMessage& message);
  // `raw` may end before the message does; the rest of the body follows as it is.
  void take_bind(Client& client, const wire::BindHead& head, base::Bytes raw,
                 std::size_t body_bytes, Batch& batch);
  void take_describe(Client& client, const wire::Target& target, base::Bytes raw, Batch& batch);
  void take_close(Client& client, const wire::Target& target, base::Bytes raw, Batch& batch);
  void take_execute(Client& client, const wire::ExecuteMessage& message, base::Bytes raw,
                    Batch& batch);

  // A request was answered: what was hoped for when it was sent is true.
  void settle(Server& server, const session::Expectation& answered);
  // A request failed or was skipped: what was noted when it was sent did not happen. In an order
  // that begins with the last.
  void undo(Client* client, Server& server, const session::Expectation& failed);

 private:
  base::Status take_unnamed_parse(Client& client, const wire::ParseMessage& message,
                                  base::Bytes raw, Batch& batch);
  void parse_in_vain(Client& client, session::StatementId known, const wire::ParseMessage& message,
                     Batch& batch);
  session::StatementId ensure(Client& client, std::string_view name, Batch& batch);
  void close_foreign_unnamed(Server& server, Batch& batch);
  void ensure_as_it_is(Server& server, session::StatementId id, Batch& batch);
  void evict_surplus(Server& server, Batch& batch);
  // Valid until the next call.
  std::string_view reading_of(Client& client);
  void expect(Server& server, session::Request request, session::Origin origin, std::uint32_t tag,
              session::StatementId id = session::StatementId::None);
  void expect_unnamed(Server& server, session::Request request, session::Origin origin,
                      std::uint32_t tag, session::StatementId id);
  bool keeps_own_names(const Client& client) const;

  RelayState& state_;
  std::string reading_;
  std::uint64_t last_private_ = 0;
};

// Remembers what the server runs, cut short.
void note_statement(Server& server, std::string_view text);

// The session of a client, made when it is first needed.
ClientSession& session_of(RelayState& state, Client& client);

}  // namespace pgweir::proxy
