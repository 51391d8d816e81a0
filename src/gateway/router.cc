#include "gateway/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "gateway/health_json.h"
#include "gateway/landing_page.h"
#include "gateway/metrics_text.h"
#include "gateway/process_metrics.h"

namespace pgweir::gateway {
namespace {

constexpr std::array<std::string_view, 5> kPaths{"/", "/api/health", "/livez", "/readyz",
                                                 "/metrics"};

struct ErrorText {
  unsigned status;
  std::string_view error;
  std::string_view message;
};

constexpr std::array kErrors{
    ErrorText{400, "bad_request", "This is not a well-formed HTTP/1.1 request to this server."},
    ErrorText{404, "not_found",
              "There is nothing at this path. Try /, /api/health, /livez, /readyz or /metrics."},
    ErrorText{405, "method_not_allowed", "Only GET and HEAD are answered here."},
    ErrorText{413, "content_too_large", "The body of a request may be 64 KB long."},
    ErrorText{421, "misdirected_request",
              "The Host of this request is neither the address that pgweir listens on nor "
              "localhost. If it should be answered, add it to http_hosts."},
    ErrorText{431, "header_too_large", "The header of a request may be 8 KB long."},
    ErrorText{503, "too_many_connections",
              "Too many HTTP connections are open. Close some and try again."}};

Reply error_reply(unsigned status) {
  const auto* text = std::find_if(kErrors.begin(), kErrors.end(),
                                  [status](const ErrorText& t) { return t.status == status; });
  ASSERT(text != kErrors.end());
  return {.status = status, .body = error_json(text->error, text->message)};
}

Reply status_reply(std::string_view reason) {
  return {.status = reason.empty() ? 200U : 503U, .body = status_json(reason)};
}

}  // namespace

Reply refusal(unsigned status) { return error_reply(status); }

Reply Router::answer(const Request& request, std::chrono::system_clock::time_point now) const {
  // Load balancers' HTTP/1.0 checks bear no Host; browsers, whom the rule is about, always send it.
  if (request.host.empty() && !request.is_http10) return error_reply(400);
  if (!request.host.empty() && !host_rule_.is_allowed(request.host, request.local_address)) {
    return error_reply(421);
  }
  if (!request.target.starts_with('/')) return error_reply(400);
  const std::string_view path = request.target.substr(0, request.target.find('?'));
  if (std::find(kPaths.begin(), kPaths.end(), path) == kPaths.end()) return error_reply(404);
  if (request.method != "GET" && request.method != "HEAD") {
    Reply reply = error_reply(405);
    reply.allow = "GET, HEAD";
    return reply;
  }
  return answer_path(path, now);
}

Reply Router::answer_path(std::string_view path, std::chrono::system_clock::time_point now) const {
  if (path == "/livez") return livez();
  if (path == "/readyz") return readyz();
  if (path == "/metrics") return metrics();
  const HealthSnapshot health = source_.health();
  if (path == "/") {
    return {.content_type = "text/html; charset=utf-8", .body = landing_page(health, now)};
  }
  return {.status = health.is_connected ? 200U : 503U, .body = health_json(health, now)};
}

Reply Router::livez() const {
  std::string reason;
  for (const ReactorLiveness& reactor : source_.reactors()) {
    if (reactor.silence <= kReactorSilenceMax) continue;
    fmt::format_to(std::back_inserter(reason), "{}reactor {} has not turned its loop for {:.1f} s",
                   reason.empty() ? "" : "; ", reactor.name,
                   std::chrono::duration<double>(reactor.silence).count());
  }
  return status_reply(reason);
}

Reply Router::readyz() const {
  switch (source_.readiness()) {
    case Readiness::Starting: return status_reply("pgweir is starting and does not listen yet");
    case Readiness::Ready: return status_reply({});
    case Readiness::Draining: return status_reply("pgweir is draining: it takes no new clients");
  }
  return error_reply(400);
}

Reply Router::metrics() const {
  MetricsSnapshot snapshot = source_.metrics();
  for (obs::Sample& sample : read_process_metrics()) snapshot.samples.push_back(std::move(sample));
  return {.content_type = kMetricsContentType, .body = metrics_text(snapshot)};
}

}  // namespace pgweir::gateway
