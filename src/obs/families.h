// The families of /metrics that are not events (those are declared where they happen, obs/event.h).
// Whoever counts asks obs::Metrics for a slot of one of these; the names are public and stay.
#pragma once

#include "obs/metrics.h"

namespace pgweir::obs {

inline constexpr Family kClients{.name = "pgweir_clients",
                                 .help = "Clients connected to pgweir.",
                                 .type = MetricType::Gauge,
                                 .label_1 = "state"};
inline constexpr Family kServers{.name = "pgweir_servers",
                                 .help = "Connections to PostgreSQL that take a slot there.",
                                 .type = MetricType::Gauge,
                                 .label_1 = "pool",
                                 .label_2 = "state"};
inline constexpr Family kWaiting{.name = "pgweir_waiting",
                                 .help = "Clients that wait for a server.",
                                 .type = MetricType::Gauge,
                                 .label_1 = "pool"};
inline constexpr Family kWaitSeconds{.name = "pgweir_wait_seconds",
                                     .help = "How long clients waited for a server.",
                                     .type = MetricType::Histogram,
                                     .label_1 = "pool"};
inline constexpr Family kHoldSeconds{.name = "pgweir_hold_seconds",
                                     .help = "How long clients held a server.",
                                     .type = MetricType::Histogram,
                                     .label_1 = "pool"};
inline constexpr Family kLogins{.name = "pgweir_logins_total",
                                .help = "Logins of clients that have ended, by result.",
                                .type = MetricType::Counter,
                                .label_1 = "result"};
inline constexpr Family kErrors{.name = "pgweir_errors_total",
                                .help = "Errors that pgweir itself sent to clients, by SQLSTATE.",
                                .type = MetricType::Counter,
                                .label_1 = "code"};

}  // namespace pgweir::obs
