// Events of the daemon: its start, its end, and what a reload came to.
#pragma once

#include "obs/event.h"

namespace pgweir::server {

inline constexpr obs::Event kStarted{
    .name = "started", .level = obs::Level::Info, .label = "", .doc = "pgweir serves."};
inline constexpr obs::Event kDraining{
    .name = "draining",
    .level = obs::Level::Info,
    .label = "",
    .doc = "No new clients; those that are here may finish their transactions."};
inline constexpr obs::Event kStopped{
    .name = "stopped",
    .level = obs::Level::Info,
    .label = "",
    .doc = "pgweir has ended; `clean` says whether every transaction could finish."};
inline constexpr obs::Event kReloaded{.name = "reloaded",
                                      .level = obs::Level::Info,
                                      .label = "",
                                      .doc = "A new configuration is in force."};
inline constexpr obs::Event kReloadFailed{
    .name = "reload_failed",
    .level = obs::Level::Error,
    .label = "",
    .doc = "The new configuration is wrong; the old one stays in force, whole."};
inline constexpr obs::Event kStatistics{.name = "statistics",
                                        .level = obs::Level::Info,
                                        .label = "",
                                        .doc =
                                            "What happened in one stats_period: how many leases of "
                                            "a server ended (in transaction mode: "
                                            "transactions), how long they and the wait for them "
                                            "took on average, and who is there now."};
inline constexpr obs::Event kSettingChanged{
    .name = "setting_changed",
    .level = obs::Level::Info,
    .label = "",
    .doc = "A reload changed a setting; `takes_effect` says when."};

}  // namespace pgweir::server
