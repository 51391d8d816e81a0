// CannedServer: one connection of a PostgreSQL that knows nothing but a bench's queries. It has its
// answers at once (whoever owns it may hold them back), and keeps its client, the pooler, to the
// protocol: a statement that was never parsed is an error, as with the real one. What is not a
// bench's query gets an error or an empty success, but for what pgweir asks about the server's
// room. Source of truth: PostgreSQL manual, "Message Flow".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_queue.h"
#include "base/bytes.h"
#include "copy_data.h"
#include "wire/frame.h"

namespace pgweir::bench {

class CannedServer {
 public:
  CannedServer(std::uint32_t pid, bool has_tls) : pid_(pid), has_tls_(has_tls) {}

  // Bytes from the pooler; answers are appended. False: the connection is to be closed.
  bool handle_bytes(base::Bytes bytes, base::ByteBuffer& out);

  std::uint32_t pid() const { return pid_; }
  bool is_logged_in() const { return is_logged_in_; }
  // It has just agreed to TLS: behind its answer the handshake begins.
  bool begins_tls() const { return begins_tls_; }
  std::uint64_t sync_count() const { return sync_count_; }  // ReadyForQuery that it has said.
  // What it has answered of a bench's, other than what poolers ask on their own.
  std::uint64_t request_count() const { return request_count_; }

 private:
  bool take_first_packets(base::Bytes& input, base::ByteBuffer& out);
  bool take(const wire::Frame& frame, base::ByteBuffer& out);
  void take_query(std::string_view text, base::ByteBuffer& out);
  void end_copy(base::ByteBuffer& out);
  void take_parse(base::Bytes body, base::ByteBuffer& out);
  void take_bind(base::Bytes body, base::ByteBuffer& out);
  void take_execute(base::ByteBuffer& out);
  void take_describe(base::Bytes body, base::ByteBuffer& out);
  void fail(std::string_view sqlstate, std::string_view message, base::ByteBuffer& out);
  void say_ready(base::ByteBuffer& out);

  const std::uint32_t pid_;
  const bool has_tls_;
  bool begins_tls_ = false;
  bool is_logged_in_ = false;
  bool skips_to_sync_ = false;
  char status_ = 'I';
  std::uint64_t sync_count_ = 0;
  std::uint64_t request_count_ = 0;
  std::map<std::string, std::string, std::less<>> statements_;
  // The unnamed portal: its statement's text, and the parameter.
  std::string portal_;
  std::string parameter_;
  std::optional<CopyReader> copy_;  // While one comes in.
  base::ByteQueue rest_;            // A part of a message.
};

}  // namespace pgweir::bench
