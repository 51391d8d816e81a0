/// \file
/// prometheus_observer: a pool's metrics by prometheus-cpp (1.0 or later). Header-only and apart
/// from the rest: who includes it has prometheus-cpp.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <memory>
#include <string>

#include "pgweir/database_pool.hpp"

namespace pgweir::contrib {

/// How it is used:
///
///   auto metrics = std::make_shared<pgweir::contrib::prometheus_observer>(registry);
///   pgweir::database_pool db(pgweir::database_options().observe_by(metrics));
///   …
///   metrics->sample(db);  // Before each scrape: the gauges.
///
/// The names begin with pgweir_pool_: refusals_total{why}, acquire_seconds,
/// held_seconds, opened_total, login_failures_total{sqlstate}, closed_total; and the gauges limit,
/// idle, in_use, connecting, closing, waiting. The registry outlives it. Thread-safety: any.
class prometheus_observer final : public pool_observer {
 public:
  /// Errors: std::invalid_argument, when the registry has these names already with other labels.
  explicit prometheus_observer(prometheus::Registry& registry,
                               const prometheus::Labels& labels = {})
      : registry_(registry),
        labels_(labels),
        refusals_(counters("refusals_total", "Who got no connection, by why.")),
        login_failures_(counters("login_failures_total", "Logins that failed, by SQLSTATE.")),
        opened_(counter("opened_total", "Logins that worked.")),
        closed_(counter("closed_total", "Connections that have ended.")),
        acquire_seconds_(histogram("acquire_seconds", "How long a connection was waited for.")),
        held_seconds_(histogram("held_seconds", "How long a connection was held.")),
        limit_(gauge("limit", "Most connections that this pool opens.")),
        idle_(gauge("idle", "Connections that nobody has.")),
        in_use_(gauge("in_use", "Connections that somebody has.")),
        connecting_(gauge("connecting", "Connections that log in.")),
        closing_(gauge("closing", "Connections that end.")),
        waiting_(gauge("waiting", "Threads that wait for a connection.")) {}

  /// Sets the gauges to what the pool is like now.
  void sample(const database_pool& db) {
    const pool_stats stats = db.stats();
    limit_.Set(stats.limit);
    idle_.Set(stats.idle);
    in_use_.Set(stats.in_use);
    connecting_.Set(stats.connecting);
    closing_.Set(stats.closing);
    waiting_.Set(stats.waiting);
  }

  /// Counts it.
  void on_acquired(std::chrono::nanoseconds waited, const code_location&) noexcept override {
    acquire_seconds_.Observe(seconds(waited));
  }
  /// Counts it.
  void on_refused(error_kind why, std::chrono::nanoseconds,
                  const code_location&) noexcept override {
    refusals_.Add(with("why", name_of(why))).Increment();
  }
  /// Counts it.
  void on_released(std::chrono::nanoseconds held, const code_location&) noexcept override {
    held_seconds_.Observe(seconds(held));
  }
  /// Counts it.
  void on_opened(std::chrono::nanoseconds) noexcept override { opened_.Increment(); }
  /// Counts it.
  void on_login_failed(const sqlstate& why, std::chrono::nanoseconds) noexcept override {
    login_failures_.Add(with("sqlstate", std::string(why.text()))).Increment();
  }
  /// Counts it.
  void on_closed() noexcept override { closed_.Increment(); }

 private:
  static double seconds(std::chrono::nanoseconds time) {
    return std::chrono::duration<double>(time).count();
  }
  static std::string name_of(error_kind why) {
    switch (why) {
      case error_kind::acquire_timeout: return "timeout";
      case error_kind::queue_full: return "queue_full";
      case error_kind::connect: return "connect";
      case error_kind::pool_closed: return "pool_closed";
      case error_kind::cancelled: return "cancelled";
      case error_kind::config:
      case error_kind::server:
      case error_kind::value:
      case error_kind::result_too_large:
      case error_kind::outcome_unknown: break;
    }
    return "other";
  }
  prometheus::Labels with(const char* name, std::string value) const {
    prometheus::Labels labels = labels_;
    labels.emplace(name, std::move(value));
    return labels;
  }
  prometheus::Family<prometheus::Counter>& counters(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(prefix + name).Help(help).Register(registry_);
  }
  prometheus::Counter& counter(const char* name, const char* help) {
    return counters(name, help).Add(labels_);
  }
  prometheus::Gauge& gauge(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(prefix + name).Help(help).Register(registry_).Add(labels_);
  }
  prometheus::Histogram& histogram(const char* name, const char* help) {
    const prometheus::Histogram::BucketBoundaries buckets{.0001, .001, .01, .1, 1, 10, 60};
    return prometheus::BuildHistogram()
        .Name(prefix + name)
        .Help(help)
        .Register(registry_)
        .Add(labels_, buckets);
  }

  const std::string prefix = "pgweir_pool_";
  prometheus::Registry& registry_;
  const prometheus::Labels labels_;
  prometheus::Family<prometheus::Counter>& refusals_;
  prometheus::Family<prometheus::Counter>& login_failures_;
  prometheus::Counter& opened_;
  prometheus::Counter& closed_;
  prometheus::Histogram& acquire_seconds_;
  prometheus::Histogram& held_seconds_;
  prometheus::Gauge& limit_;
  prometheus::Gauge& idle_;
  prometheus::Gauge& in_use_;
  prometheus::Gauge& connecting_;
  prometheus::Gauge& closing_;
  prometheus::Gauge& waiting_;
};

}  // namespace pgweir::contrib
