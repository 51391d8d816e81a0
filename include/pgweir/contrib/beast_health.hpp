/// \file
/// beast_health: check_health() as a response of Boost.Beast's. Header-only and apart from the
/// rest: who includes it has Boost (1.75 or later).
#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <utility>

#include "pgweir/health.hpp"

namespace pgweir::contrib {

/// What is sent for GET /api/health: 200 or 503, JSON, never cached. Takes half a second at most,
/// and blocks: call it where a handler may wait for the database. Never throws for what the
/// database does. Thread-safety: any.
template <class Body, class Fields>
boost::beast::http::response<boost::beast::http::string_body> beast_health(
    const database_pool& db, const boost::beast::http::request<Body, Fields>& request,
    code_location where = code_location::current()) {
  namespace http = boost::beast::http;
  health_report report = check_health(db, where);
  http::response<http::string_body> response(
      report.is_ok ? http::status::ok : http::status::service_unavailable, request.version());
  response.set(http::field::content_type, "application/json");
  response.set(http::field::cache_control, "no-store");
  response.keep_alive(request.keep_alive());
  response.body() = std::move(report.body);
  response.prepare_payload();
  return response;
}

}  // namespace pgweir::contrib
