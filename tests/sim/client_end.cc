// How a connection ends by pgweir's doing or the network's, and whether it may.
#include <algorithm>

#include "sim/client.h"
#include "wire/sqlstate.h"

namespace pgweir::sim {

namespace {

// How long it may take until whoever has nothing under way has gone.
constexpr base::Duration kDeparting = std::chrono::milliseconds(700);

}  // namespace

void Client::handle_farewell(const wire::Report& report) {
  const bool is_removed = report.detail.ends_with("is no longer in pgweir's configuration.");
  if (is_removed) check_departure(base::kNever);
  if (report.detail == "pgweir is shutting down.") check_departure(*door_.cuts_at());
  farewell_ = report;
}

void Client::handle_end(End end) {
  // Inside a message nothing can be said, nor to somebody whom the Relay does not know yet.
  const bool is_mid_message = !inbox_.empty();
  const bool is_shut_out = phase_ == Phase::LoggingIn && door_.cuts_at();
  const bool is_explained = farewell_.has_value() || link_->was_reset || end == End::Timeout ||
                            is_mid_message || is_shut_out || is_half_closed_ || rules_.may_be_cut;
  if (!is_explained) complain("pgweir closed the connection without a word");
  const bool is_otherwise = link_->was_reset || is_half_closed_;
  const bool is_by_pgweir = !farewell_ && !is_otherwise && end == End::Eof;
  const bool has_no_other_cause = !rules_.may_lose_servers && !rules_.may_idle_too_long;
  if (door_.cuts_at() && !is_shut_out && is_by_pgweir && has_no_other_cause) {
    check_departure(*door_.cuts_at());
  }
  come_back();
}

// Until it cuts transactions, pgweir ends nobody in the middle of something.
void Client::check_departure(base::Instant cuts_at) const {
  const base::Instant ended_at = std::min(world_.now(), link_->to_peer->finished_at());
  if (phase_ == Phase::LoggingIn || ended_at >= cuts_at) return;
  if (session_->status() != 'I') complain("its transaction was cut before shutdown_timeout");
  const bool has_open_batch = phase_ == Phase::Busy && script_.empty() && !is_in_error_;
  if (has_open_batch) complain("its batch was cut");
  for (const Expected& expected : script_.due()) {
    if (!expected.statement || !door_.was_executed(expected.statement->mark)) continue;
    complain("it was sent away before it got the answer to " + expected.statement->text);
  }
}

// Nobody begins anything on a server of a database that is not configured any more.
void Client::check_belonging() const {
  const std::optional<base::Instant> removed_at = door_.removed_at(database_);
  const bool keeps_server = rules_.keeps_server || session_->has_state();
  if (!removed_at || keeps_server || began_at_ < *removed_at + kDeparting) return;
  complain("was served though its database is not configured any more");
}

}  // namespace pgweir::sim
