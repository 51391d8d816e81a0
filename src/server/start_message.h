// The start message: what a person who has just started pgweir needs next: the URL for the
// application, where health is, how many slots there are. It never shows a password of theirs.
#pragma once

#include <string>

#include "config/config.h"
#include "control/snapshot.h"

namespace pgweir::server {

struct StartFacts {
  bool is_self_signed = false;
  control::ControlSnapshot control;  // As far as the database has been looked at.
};

// Lines for a terminal, each with its line feed.
std::string render_start_message(const config::Config& config, const StartFacts& facts);

}  // namespace pgweir::server
