// What the gateway reports.
#pragma once

#include "obs/event.h"

namespace pgweir::gateway {

inline constexpr obs::Event kHttpListening{
    .name = "http_listening",
    .level = obs::Level::Info,
    .doc = "The HTTP endpoints can be reached at `address`."};
inline constexpr obs::Event kHttpAnswered{.name = "http_answered",
                                          .level = obs::Level::Debug,
                                          .label = "status",
                                          .doc = "An HTTP request was answered with `status`."};
inline constexpr obs::Event kHttpCutOff{
    .name = "http_cut_off",
    .level = obs::Level::Info,
    .label = "reason",
    .doc =
        "An HTTP connection of `peer` was closed by us. `reason` says why: it was too slow with a "
        "request, too big, malformed, or one too many."};
inline constexpr obs::Event kHttpFailed{
    .name = "http_failed",
    .level = obs::Level::Error,
    .doc = "The HTTP thread met an error that it did not expect, `error`; it goes on."};

// Why a connection was cut off.
enum class CutOff { Timeout, HeaderTooLarge, BodyTooLarge, Malformed, TooManyConnections };

constexpr std::string_view to_text(CutOff reason) {
  switch (reason) {
    case CutOff::Timeout: return "timeout";
    case CutOff::HeaderTooLarge: return "header_too_large";
    case CutOff::BodyTooLarge: return "body_too_large";
    case CutOff::Malformed: return "malformed";
    case CutOff::TooManyConnections: return "too_many_connections";
  }
  return "malformed";
}

}  // namespace pgweir::gateway
