// Log: reports events. Every event is counted; at or above the log's level it is also written as
// one logfmt line, and a repetition beyond a burst becomes a line that says how many were left
// out. It is passed in, never global; where lines go and what time it is are injected, so that a
// simulation's log is reproducible. Secrets have no Field (base/secret.h).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "obs/event.h"
#include "obs/options.h"

namespace pgweir::obs {

// Where lines go. Called from every thread that logs, at once or one after another; a sink that
// may block (a pipe) should queue, for some of the callers are reactors.
class Sink {
 public:
  virtual ~Sink() = default;
  // line: without a line feed; borrowed for the call.
  virtual void write(Level level, std::string_view line) = 0;
};

// The time, as a shell or a simulator tells it. Both are called from every thread that logs.
struct LogClock {
  std::function<base::Instant()> now;           // For the rate limit.
  std::function<std::string()> wall_time = {};  // The line's time=; unset or empty: no time=.
};

struct LogLimits {
  std::uint32_t burst = 20;                          // Lines of one kind in one window.
  base::Duration window = std::chrono::seconds(10);  // Zero: no limit.
  std::size_t label_values_max = 64;                 // Of one event; further ones are "other".
};

// How often one event happened with one value of its label.
struct EventCount {
  const Event* event;
  std::string label_value;  // Empty when the event has no label.
  std::uint64_t count = 0;
};

class Log {
 public:
  // sink: outlives the log.
  Log(Sink& sink, LogClock clock, const Options& options = {}, LogLimits limits = {});
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() = default;

  // Counts the event and, when its level says so, writes its line. Any thread may call it.
  // event: of static storage. fields: in the order of the line; one of them bears event.label.
  void event(const Event& event, std::initializer_list<Field> fields = {});

  // Writes what the rate limit has left out in windows that are over. Called now and then by the
  // shell (every few seconds, and at the end with `is_last`, which does not wait for the window's
  // end).
  void write_suppressed(bool is_last = false);

  // Any thread may call it; it holds from the next event on.
  void set_options(const Options& options);

  // All that has happened so far, by name of the event and label.
  std::vector<EventCount> counts() const;
  std::uint64_t count(const Event& event) const;  // Over all values of the label.
  std::uint64_t count(const Event& event, std::string_view label_value) const;

 private:
  // One event with one value of its label: the unit of counting and of the rate limit, so that a
  // flood of one reason does not hide another.
  struct Series {
    const Event* event = nullptr;
    std::uint64_t count = 0;
    base::Instant window_start{};
    std::uint64_t written = 0;     // In this window; zero: no window is open.
    std::uint64_t suppressed = 0;  // In this window.
  };
  using SeriesByLabel = std::map<std::string, Series, std::less<>>;

  bool is_wanted(const Event& event) const;
  Series& find_series(const Event& event, std::string_view label_value);
  std::uint64_t open_window(Series& series, base::Instant now) const;
  void write_line(const Event& event, std::initializer_list<Field> fields);
  void write_summary(const Event& event, std::string_view label_value, std::uint64_t suppressed);

  Sink& sink_;
  const LogClock clock_;
  const LogLimits limits_;
  std::atomic<Level> level_;
  std::atomic<std::uint8_t> topics_;  // A bit for each that has its own level.
  mutable std::mutex mutex_;          // Guards all below; never held while a sink writes.
  std::map<std::string_view, SeriesByLabel, std::less<>> series_;
};

}  // namespace pgweir::obs
