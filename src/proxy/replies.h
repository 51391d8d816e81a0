// Replies: the way from server to client. It follows what the server answers, forwards what is the
// client's and swallows what is ours. What becomes of the server then is handback.h.
#pragma once

#include <optional>
#include <string>

#include "proxy/batch.h"
#include "proxy/relay_state.h"
#include "wire/frame.h"

namespace pgweir::proxy {

class Replies {
 public:
  explicit Replies(RelayState& state) : state_(state) {}

  void handle_bytes(Server& server, base::Bytes bytes, base::Instant now);

  // Answers that nobody was asked for and whose turn has come go to the client.
  void send_synthetic(Server& server, base::Instant now);

 private:
  // Takes whole messages; returns how many bytes, or nullopt when the server broke the protocol.
  std::optional<std::size_t> take(Server& server, base::Bytes input, Batch& batch,
                                  base::Instant now);
  bool take_message(Server& server, const wire::Frame& frame, base::Bytes raw, Batch& batch);
  bool take_streamed(Server& server, wire::Header header, base::Bytes here, Batch& batch);
  static void pass_unasked(Server& server, char type, base::Bytes here, Batch& batch);
  bool take_answer(Server& server, const wire::Frame& frame, base::Bytes raw, Batch& batch);
  void forward_error(const Server& server, const session::QueryCycle::Step& step, base::Bytes raw,
                     Batch& batch);
  void take_failure(Server& server, const session::QueryCycle::Step& step, base::Bytes body);
  void take_ready(Server& server, const session::QueryCycle::Step& step, char status, Batch& batch);
  void append_synthetic(Server& server, Batch& batch);
  void confuse(Server& server, std::string_view what, base::Instant now);

  RelayState& state_;
  std::string failure_;  // What a server did wrong.
};

}  // namespace pgweir::proxy
