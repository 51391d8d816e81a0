#include "played_client.h"

#include <algorithm>
#include <cstring>

#include "wire/frame.h"
#include "wire/report.h"
#include "wire/startup.h"

namespace pgweir::bench {

PlayedClient::PlayedClient(const Workload& workload, std::size_t number) : workload_(workload) {
  progress_.client = number;
}

void PlayedClient::begin_login(std::string_view user, std::string_view database,
                               base::ByteBuffer& out) {
  wire::encode_startup(out, wire::kProtocol30,
                       {{"user", std::string(user)}, {"database", std::string(database)}});
}

void PlayedClient::begin_turn(base::Instant now, base::ByteBuffer& out) {
  answer_.clear();
  matched_ = 0;
  began_at_ = now;
  transaction_count_ = encode_turn(workload_, progress_, out, answer_);
}

PlayedClient::Outcome PlayedClient::handle_bytes(base::Bytes bytes) {
  if (!is_logged_in_) return handle_login(bytes);
  const std::size_t due = answer_.size() - matched_;
  if (bytes.size() > due) return fail("more than the answer", bytes);
  if (std::memcmp(bytes.data(), answer_.data() + matched_, bytes.size()) != 0) {
    return fail("another answer than is due", bytes);
  }
  matched_ += bytes.size();
  return is_idle() ? Outcome::Answered : Outcome::Underway;
}

// Of the welcome only its end matters, and that it holds no error. It is kept in answer_.
PlayedClient::Outcome PlayedClient::handle_login(base::Bytes bytes) {
  base::append(answer_, bytes);
  base::Bytes rest = base::Bytes(answer_).subspan(matched_);
  while (true) {
    const auto frame = wire::take_frame(rest, wire::kBodyBytesMax, base::Side::Server);
    if (!frame) return fail("a malformed welcome", bytes);
    if (!*frame) break;
    matched_ = answer_.size() - rest.size();
    if ((*frame)->type == 'E') {
      return fail("its login was refused: " + wire::parse_report_head((*frame)->body).message, {});
    }
    if ((*frame)->type != 'Z') continue;
    is_logged_in_ = true;
    answer_.clear();
    matched_ = 0;
    return rest.empty() ? Outcome::LoggedIn : fail("more than the welcome", rest);
  }
  return Outcome::Underway;
}

PlayedClient::Outcome PlayedClient::fail(std::string_view what, base::Bytes bytes) {
  what_ = "client " + std::to_string(progress_.client) + " heard " + std::string(what) + ": ";
  for (const char c : base::as_text(bytes.first(std::min<std::size_t>(bytes.size(), 120)))) {
    what_ += c >= ' ' && c < '\x7f' ? c : '.';
  }
  return Outcome::Wrong;
}

}  // namespace pgweir::bench
