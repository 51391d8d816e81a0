#include "obs/log.h"

#include <algorithm>
#include <array>
#include <utility>

#include "obs/logfmt.h"

namespace pgweir::obs {
namespace {

constexpr std::size_t kLabelBytesMax = 64;
constexpr std::string_view kOther = "other";

// The label's value as the metric shows it. Labels are enums of ours, hence texts; a number is a
// declaration that forgot this and lands in one series.
std::string_view label_value_of(const Event& event, std::initializer_list<Field> fields) {
  if (event.label.empty()) return {};
  const auto* field = std::find_if(fields.begin(), fields.end(),
                                   [&](const Field& f) { return f.key == event.label; });
  if (field == fields.end() || field->kind != Field::Kind::Text) return kOther;
  return field->text.size() <= kLabelBytesMax ? field->text : kOther;
}

constexpr std::uint8_t bit_of(Topic topic) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(topic));
}

std::uint8_t topics_of(const Options& options) {
  std::uint8_t topics = bit_of(Topic::Other);
  if (options.has_connections) topics |= bit_of(Topic::Connections);
  if (options.has_disconnections) topics |= bit_of(Topic::Disconnections);
  if (options.has_client_errors) topics |= bit_of(Topic::ClientErrors);
  return topics;
}

}  // namespace

Log::Log(Sink& sink, LogClock clock, const Options& options, LogLimits limits)
    : sink_(sink),
      clock_(std::move(clock)),
      limits_(limits),
      level_(options.level),
      topics_(topics_of(options)) {}

void Log::set_options(const Options& options) {
  level_.store(options.level, std::memory_order_relaxed);
  topics_.store(topics_of(options), std::memory_order_relaxed);
}

bool Log::is_wanted(const Event& event) const {
  const bool is_on = (topics_.load(std::memory_order_relaxed) & bit_of(event.topic)) != 0;
  return (is_on ? event.level : Level::Debug) >= level_.load(std::memory_order_relaxed);
}

void Log::event(const Event& event, std::initializer_list<Field> fields) {
  const std::string_view label_value = label_value_of(event, fields);
  const bool is_line = is_wanted(event);
  const base::Instant now = is_line ? clock_.now() : base::Instant{};
  std::uint64_t summary = 0;
  {
    const std::lock_guard lock(mutex_);
    Series& series = find_series(event, label_value);
    ++series.count;
    if (!is_line) return;
    summary = open_window(series, now);
    if (limits_.window != base::Duration::zero() && series.written >= limits_.burst) {
      ++series.suppressed;
      return;
    }
    ++series.written;
  }
  if (summary != 0) write_summary(event, label_value, summary);
  write_line(event, fields);
}

void Log::write_suppressed(bool is_last) {
  struct Summary {
    const Event* event;
    std::string label_value;
    std::uint64_t count;
  };
  std::vector<Summary> summaries;
  const base::Instant now = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    for (auto& [name, by_label] : series_) {
      for (auto& [label_value, series] : by_label) {
        const auto forced = is_last ? std::exchange(series.suppressed, 0) : 0;
        const auto count = forced + open_window(series, now);
        if (count != 0) summaries.push_back({series.event, label_value, count});
      }
    }
  }
  for (const Summary& summary : summaries) {
    write_summary(*summary.event, summary.label_value, summary.count);
  }
}

std::vector<EventCount> Log::counts() const {
  const std::lock_guard lock(mutex_);
  std::vector<EventCount> all;
  for (const auto& [name, by_label] : series_) {
    for (const auto& [label_value, series] : by_label) {
      all.push_back({series.event, label_value, series.count});
    }
  }
  return all;
}

std::uint64_t Log::count(const Event& event) const {
  const std::lock_guard lock(mutex_);
  const auto found = series_.find(event.name);
  if (found == series_.end()) return 0;
  std::uint64_t sum = 0;
  for (const auto& [label_value, series] : found->second) sum += series.count;
  return sum;
}

std::uint64_t Log::count(const Event& event, std::string_view label_value) const {
  const std::lock_guard lock(mutex_);
  const auto found = series_.find(event.name);
  if (found == series_.end()) return 0;
  const auto series = found->second.find(label_value);
  return series == found->second.end() ? 0 : series->second.count;
}

Log::Series& Log::find_series(const Event& event, std::string_view label_value) {
  SeriesByLabel& by_label = series_[event.name];
  auto found = by_label.find(label_value);
  if (found == by_label.end()) {
    const bool is_new_allowed = by_label.size() < limits_.label_values_max;
    found = by_label.try_emplace(std::string(is_new_allowed ? label_value : kOther)).first;
  }
  found->second.event = &event;
  return found->second;
}

// Closes a window that is over and opens the next one; returns what the closed one had left out.
std::uint64_t Log::open_window(Series& series, base::Instant now) const {
  if (series.written != 0 && now - series.window_start < limits_.window) return 0;
  series.window_start = now;
  series.written = 0;
  return std::exchange(series.suppressed, 0);
}

void Log::write_line(const Event& event, std::initializer_list<Field> fields) {
  LineBuffer line;
  const std::string wall_time = clock_.wall_time ? clock_.wall_time() : std::string();
  if (!wall_time.empty()) line.add(kv("time", wall_time));
  line.add(kv("level", event.level));
  line.add(kv("event", event.name));
  for (const Field& field : fields) line.add(field);
  sink_.write(event.level, line.text());
}

void Log::write_summary(const Event& event, std::string_view label_value,
                        std::uint64_t suppressed) {
  if (event.label.empty()) return write_line(event, {kv("suppressed", suppressed)});
  write_line(event, {kv(event.label, label_value), kv("suppressed", suppressed)});
}

}  // namespace pgweir::obs
