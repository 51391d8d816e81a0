#include "gateway/host_rule.h"

#include <algorithm>

namespace pgweir::gateway {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool is_port(std::string_view text) {
  return text.empty() ||
         (text.front() == ':' && std::all_of(text.begin() + 1, text.end(), is_digit));
}

}  // namespace

std::string host_of(std::string_view header) {
  const bool is_bracketed = header.starts_with('[');
  const std::size_t end = is_bracketed ? header.find(']') : header.find(':');
  if (is_bracketed && end == std::string_view::npos) return {};
  const std::string_view host = is_bracketed ? header.substr(1, end - 1) : header.substr(0, end);
  const std::size_t after = is_bracketed ? end + 1 : std::min(end, header.size());
  return is_port(header.substr(after)) ? lower(host) : std::string();
}

HostRule::HostRule(std::string_view listen_host, const std::vector<std::string>& hosts)
    : hosts_{"localhost", "127.0.0.1", "::1", lower(listen_host)} {
  for (const std::string& host : hosts) hosts_.push_back(lower(host));
}

bool HostRule::is_allowed(std::string_view header, std::string_view local_address) const {
  const std::string host = host_of(header);
  if (host.empty()) return false;
  return host == local_address || std::find(hosts_.begin(), hosts_.end(), host) != hosts_.end();
}

}  // namespace pgweir::gateway
