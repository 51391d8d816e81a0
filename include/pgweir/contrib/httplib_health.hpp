/// \file
/// httplib_health: check_health() as a path of cpp-httplib's server. Header-only and apart from the
/// rest: who includes it has httplib.h (0.11 or later).
#pragma once

#include <httplib.h>

#include <string>

#include "pgweir/health.hpp"

namespace pgweir::contrib {

/// Answers GET `path` with 200 or 503, JSON, never cached, within half a second. The pool outlives
/// the server. Before the server listens.
inline void mount_health(httplib::Server& server, const database_pool& db,
                         const std::string& path = "/api/health",
                         code_location where = code_location::current()) {
  server.Get(path, [&db, where](const httplib::Request&, httplib::Response& response) {
    const health_report report = check_health(db, where);
    response.status = report.is_ok ? 200 : 503;
    response.set_header("Cache-Control", "no-store");
    response.set_content(report.body, "application/json");
  });
}

}  // namespace pgweir::contrib
