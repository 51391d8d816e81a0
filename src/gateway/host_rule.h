// HostRule: which Host headers are answered. A web page can make a browser resolve the page's own
// name to this machine (DNS rebinding) and read what it gets; it cannot make it send another Host.
// So a name must be known here. The port is not looked at: it differs behind a port mapping.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgweir::gateway {

// The host of a Host header without port and brackets, lower case; empty if it is malformed
// (RFC 9110, 7.2).
std::string host_of(std::string_view header);

class HostRule {
 public:
  // listen_host: as configured, "*" for all addresses. hosts: further names (`http_hosts`).
  HostRule(std::string_view listen_host, const std::vector<std::string>& hosts);

  // local_address: the address of ours that the request came to, in its shortest form ("::1").
  bool is_allowed(std::string_view header, std::string_view local_address) const;

 private:
  std::vector<std::string> hosts_;
};

}  // namespace pgweir::gateway
