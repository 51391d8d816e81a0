// Router: what is answered to which request, without a socket. Everything is read-only here, hence
// GET and HEAD only. http_server.h brings the requests and takes the replies away.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/host_rule.h"
#include "gateway/snapshot.h"

namespace pgweir::gateway {

// How long a reactor's loop may rest before /livez calls the process stuck.
inline constexpr base::Duration kReactorSilenceMax = std::chrono::seconds(5);

// The parts of a well-formed HTTP request that decide. It borrows all of them.
struct Request {
  std::string_view method;
  std::string_view target;  // As in the request line.
  std::string_view host;    // The Host header; empty: there is none.
  std::string_view local_address;
  bool is_http10 = false;  // The one version in which Host may be missing.
};

struct Reply {
  unsigned status = 200;
  std::string_view content_type = "application/json";
  std::string body = {};
  std::string_view allow = {};  // The Allow header of a 405.
};

// The reply to what never became a Request. status: 400, 413, 431 or 503.
Reply refusal(unsigned status);

class Router {
 public:
  // source: outlives the router.
  Router(HostRule host_rule, const SnapshotSource& source)
      : host_rule_(std::move(host_rule)), source_(source) {}

  Reply answer(const Request& request, std::chrono::system_clock::time_point now) const;

 private:
  Reply answer_path(std::string_view path, std::chrono::system_clock::time_point now) const;
  Reply livez() const;
  Reply readyz() const;
  Reply metrics() const;

  HostRule host_rule_;
  const SnapshotSource& source_;
};

}  // namespace pgweir::gateway
