// The families of /metrics that are not events: the one list of them. (Events are declared where
// they happen, obs/event.h; logins and errors by code are events.) Whoever counts asks obs::Metrics
// for a slot of one of these; the names are public and stay. A pool is called "database/user", as
// clients name them.
#pragma once

#include "obs/metrics.h"

namespace pgweir::obs {

inline constexpr Family kClients{
    .name = "pgweir_clients", .help = "Clients that are logged in.", .label_1 = "pool"};
inline constexpr Family kWaiting{
    .name = "pgweir_waiting", .help = "Clients that wait for a server.", .label_1 = "pool"};
inline constexpr Family kServers{.name = "pgweir_servers",
                                 .help = "Connections to PostgreSQL that take a slot there.",
                                 .label_1 = "pool",
                                 .label_2 = "state"};
inline constexpr Family kWaitSeconds{.name = "pgweir_wait_seconds",
                                     .help = "How long clients waited for a server.",
                                     .type = MetricType::Histogram,
                                     .label_1 = "pool"};
inline constexpr Family kHoldSeconds{.name = "pgweir_hold_seconds",
                                     .help = "How long clients held a server.",
                                     .type = MetricType::Histogram,
                                     .label_1 = "pool"};
inline constexpr Family kServerMoved{
    .name = "pgweir_server_moved_total",
    .help = "Servers that went to another data reactor, where a client had waited longer.",
    .type = MetricType::Counter,
    .label_1 = "pool"};

// Values of kServers' second label.
inline constexpr std::string_view kIdle = "idle";
inline constexpr std::string_view kLeased = "leased";
inline constexpr std::string_view kConnecting = "connecting";
inline constexpr std::string_view kClosing = "closing";
inline constexpr std::string_view kLost = "lost";  // Its end was not seen; its slot may be taken.

}  // namespace pgweir::obs
