// PlayedClient: one client of a sandwich. It logs in, asks as its workload says, and compares every
// byte that comes back with what has to come. It has no socket of its own, and may begin anew on
// another connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/server_authenticator.h"
#include "base/bytes.h"
#include "base/time.h"
#include "identity.h"
#include "wire/frame.h"
#include "workload.h"

namespace pgweir::bench {

class PlayedClient {
 public:
  PlayedClient(const Workload& workload, std::size_t number);

  // On a new connection; tls: see Identity.
  void begin_login(Identity& identity, std::string database, const base::TlsInfo* tls,
                   base::ByteBuffer& out);
  // The next request; REQUIRES: is_idle().
  void begin_turn(base::Instant now, base::ByteBuffer& out);

  enum class Outcome : std::uint8_t {
    Underway,  // More is to come, perhaps after what `out` now holds.
    LoggedIn,
    Answered,
    Refused,  // Its login; what() says more.
    Wrong     // What came is not what had to come: what() says more.
  };
  Outcome handle_bytes(base::Bytes bytes, base::ByteBuffer& out);

  bool is_logged_in() const { return is_logged_in_; }
  bool is_idle() const { return is_logged_in_ && matched_ == turn_.answer.size(); }
  std::uint64_t turn_count() const { return progress_.turn; }  // That it has begun.
  // Of the turn that was answered last.
  std::size_t transaction_count() const { return turn_.transaction_count; }
  base::Instant began_at() const { return began_at_; }
  const std::string& what() const { return what_; }

 private:
  Outcome handle_login(base::Bytes bytes, base::ByteBuffer& out);
  Outcome take_welcome(const wire::Frame& frame, base::ByteBuffer& out);
  Outcome fail(std::string_view what, base::Bytes bytes);

  Workload workload_;
  Progress progress_;
  std::optional<auth::ServerAuthenticator> authenticator_;  // While it logs in.
  bool is_logged_in_ = false;
  Turn turn_;                // Its answer has to come (while it logs in: what has come) …
  std::size_t matched_ = 0;  // … and so much of it has.
  base::Instant began_at_;
  std::string what_;
};

}  // namespace pgweir::bench
