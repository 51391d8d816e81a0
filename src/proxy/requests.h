// Requests: the way from client to server, message by message: has a server lent when one is
// needed, notes what answers are due, and puts together the batch that leaves at once. The stream
// that the messages come from is intake.h, the extended protocol's names are statements.h, the
// answers replies.h.
#pragma once

#include <optional>
#include <string>

#include "proxy/batch.h"
#include "proxy/relay_state.h"
#include "proxy/statements.h"
#include "wire/frame.h"

namespace pgweir::proxy {

class Requests {
 public:
  explicit Requests(RelayState& state) : state_(state), statements_(state) {}

  // What came of one message.
  enum class Outcome : std::uint8_t {
    Taken,     // `passed_bytes` of the input are done with.
    Parked,    // It needs more bytes, or a server: leave it.
    Left,      // The client said good-bye.
    Violated,  // It broke the protocol: `violation`.
  };

  // Takes the message that `input` begins with, or as much of it as is there and may pass already.
  // REQUIRES: at least a header.
  Outcome take(Client& client, base::Bytes input, Batch& batch, base::Instant now);
  std::size_t passed_bytes() const { return passed_bytes_; }
  const std::string& violation() const { return violation_; }
  // Looks at a further piece of a text that is passing.
  void analyse_rest(Client& client, base::Bytes piece);
  // Sends the batch.
  void flush(Server& server, Batch& batch, base::Instant now);

  // Makes the client's server have its parameters; false while it is not known whether the server
  // accepts them (Client::is_settling).
  bool settle(Client& client, base::Instant now);

  // Tells a client that waits or is refused in mid-batch: ERROR, the rest up to Sync dropped,
  // ReadyForQuery; the client stays. REQUIRES: it has no server.
  void refuse(Client& client, const wire::Report& report, base::Instant now);

  // A request failed or was skipped: what was noted when it was sent did not happen.
  void settle(Server& server, const session::Expectation& answered) {
    statements_.settle(server, answered);
  }
  void undo(Client* client, Server& server, const session::Expectation& failed) {
    statements_.undo(client, server, failed);
  }

 private:
  struct Input {
    wire::Header header;
    base::Bytes bytes;  // From the header on, as far as they are there.
    std::size_t frame_bytes() const { return wire::kHeaderBytes + header.body_bytes; }
    bool is_whole() const { return bytes.size() >= frame_bytes(); }
    base::Bytes body() const { return bytes.subspan(wire::kHeaderBytes, header.body_bytes); }
  };

  Outcome take_message(Client& client, const Input& input, Batch& batch, base::Instant now);
  std::optional<Outcome> take_without_server(Client& client, const Input& input);
  Outcome drop(Client& client, const Input& input);
  bool promise_statement(Client& client, const Input& input);
  Outcome drop_until_sync(Client& client, const Input& input);
  Outcome take_query(Client& client, const Input& input, Batch& batch);
  Outcome take_function_call(Client& client, const Input& input, Batch& batch);
  Outcome take_extended(Client& client, const Input& input, Batch& batch);
  Outcome take_bind(Client& client, const Input& input, Batch& batch);
  Outcome pass_long_parse(Client& client, const Input& input, Batch& batch);
  // Waits for the whole message, if it is of a size that we are ready to hold.
  Outcome wait_for_whole(Client& client, const Input& input);
  Outcome violate(std::string_view what);
  void send_ready(Client& client);
  void pass(Client& client, const Input& input, Batch& batch);
  void finish_analysis(Client& client);
  static std::uint32_t next_tag(Client& client);
  static void hold_back_next(Client& client);
  static void note_end_of_batch(Server& server);

  RelayState& state_;
  Statements statements_;
  std::size_t passed_bytes_ = 0;  // Of the current message, from the input.
  std::string violation_;
};

}  // namespace pgweir::proxy
