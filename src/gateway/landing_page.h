// The page at `/`: what this is, how it is doing, where its endpoints are. Plain HTML without
// scripts and without anything from elsewhere.
#pragma once

#include <chrono>
#include <string>

#include "gateway/snapshot.h"

namespace pgweir::gateway {

std::string landing_page(const HealthSnapshot& health, std::chrono::system_clock::time_point now);

}  // namespace pgweir::gateway
