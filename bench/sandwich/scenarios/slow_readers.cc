#include "scenarios/slow_readers.h"

#include <algorithm>

#include "sandwich.h"

namespace pgweir::bench {

namespace {

constexpr std::size_t kSlow = 50;
constexpr std::size_t kRowsOfAnswer = 1'000;
constexpr std::size_t kBytesPerSecond = 10'000;
constexpr base::Duration kBetweenLooks = std::chrono::milliseconds(50);

}  // namespace

SlowReaders::SlowReaders(const Plan& plan, Sandwich& sandwich)
    : Scenario(plan, sandwich), watch_(plan.pooler_pids), tally_(plan.client_count) {}

// The others have the first numbers.
void SlowReaders::begin(base::Instant) {
  for (std::size_t i = 0; i < plan_.client_count; ++i) {
    sandwich_.connect(sandwich_.add_client(plan_.workload));
  }
  Workload bulk = plan_.workload;
  bulk.kind = Kind::Bulk;
  bulk.row_count = kRowsOfAnswer;
  for (std::size_t i = 0; i < kSlow; ++i) sandwich_.connect(sandwich_.add_client(bulk));
}

void SlowReaders::handle_logged_in(std::size_t, base::Instant now) {
  if (++logged_in_ == plan_.client_count + kSlow) begin_work(now);
}

void SlowReaders::begin_work(base::Instant now) {
  memory_before_ = memory_of(plan_.pooler_pids);
  for (std::size_t i = 0; i < plan_.client_count + kSlow; ++i) {
    if (i >= plan_.client_count) sandwich_.read_slowly(i, kBytesPerSecond);
    sandwich_.ask(i, now);
  }
  look_at_memory(now);
  sandwich_.do_at(now + plan_.warm_up, [this](base::Instant then) {
    watch_.begin(then);
    sandwich_.do_at(then + plan_.measured, [this](base::Instant end) {
      watch_.end(end);
      for (std::size_t i = 0; i < kSlow; ++i) sandwich_.cut_off(plan_.client_count + i, end);
      sandwich_.dismiss(end);
    });
  });
}

void SlowReaders::look_at_memory(base::Instant now) {
  memory_max_ = std::max(memory_max_, memory_of(plan_.pooler_pids));
  sandwich_.do_at(now + kBetweenLooks, [this](base::Instant later) { look_at_memory(later); });
}

void SlowReaders::handle_answered(std::size_t client, base::Instant now) {
  const PlayedClient& played = sandwich_.client(client);
  if (watch_.is_running() && client < plan_.client_count) {
    tally_.add_turn(client, played.transaction_count(), now - played.began_at());
  }
  sandwich_.ask(client, now);
}

Figures SlowReaders::result() const {
  Figures figures = tally_.report(watch_);
  figures.emplace_back("memory_bytes_max", static_cast<double>(memory_max_));
  figures.emplace_back("memory_growth_bytes",
                       static_cast<double>(memory_max_) - static_cast<double>(memory_before_));
  return figures;
}

}  // namespace pgweir::bench
