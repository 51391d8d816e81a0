#include "config/fields.h"

#include <algorithm>

namespace pgweir::config {
namespace {

constexpr std::size_t kVersionCount = 4;
constexpr std::array<proxy::TlsVersion, kVersionCount> kVersions{
    proxy::TlsVersion::V1_0, proxy::TlsVersion::V1_1, proxy::TlsVersion::V1_2,
    proxy::TlsVersion::V1_3};

}  // namespace

std::string_view startup_parameter(const proxy::DatabaseOptions& of, std::string_view name) {
  for (const auto& [known, value] : of.startup_parameters) {
    if (known == name) return value;
  }
  return {};
}

void set_startup_parameter(proxy::DatabaseOptions& of, std::string_view name, std::string value) {
  auto& all = of.startup_parameters;
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.first == name; });
  if (value.empty()) {
    if (found != all.end()) all.erase(found);
  } else if (found != all.end()) {
    found->second = std::move(value);
  } else {
    all.emplace_back(name, std::move(value));
  }
}

std::string quote_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

Complaint parse_protocols(std::string_view text, proxy::TlsVersion& min, proxy::TlsVersion& max) {
  std::array<bool, kVersionCount> is_allowed{};
  for (const std::string& item : split_list(text)) {
    proxy::TlsVersion version{};
    if (is_same_name(item, "all")) {
      is_allowed.fill(true);
    } else if (is_same_name(item, "secure") || is_same_name(item, "default")) {
      is_allowed[2] = is_allowed[3] = true;
    } else if (!Codec<proxy::TlsVersion>::parse({.text = item}, version)) {
      is_allowed[static_cast<std::size_t>(std::find(kVersions.begin(), kVersions.end(), version) -
                                          kVersions.begin())] = true;
    } else {
      return complain_choice(item, {"secure", "all", "tlsv1.0", "tlsv1.1", "tlsv1.2", "tlsv1.3"});
    }
  }
  const auto first = std::find(is_allowed.begin(), is_allowed.end(), true);
  if (first == is_allowed.end()) return "names no version of TLS";
  const auto last = std::find(is_allowed.rbegin(), is_allowed.rend(), true);
  if (std::count(is_allowed.begin(), is_allowed.end(), true) != last.base() - first) {
    return "leaves out a version between the lowest and the highest";
  }
  min = kVersions[static_cast<std::size_t>(first - is_allowed.begin())];
  const auto highest = kVersions[static_cast<std::size_t>(last.base() - 1 - is_allowed.begin())];
  // Whoever allows the newest version known would allow its successors.
  max = highest == kVersions.back() ? proxy::TlsVersion::Any : highest;
  return std::nullopt;
}

std::string render_protocols(proxy::TlsVersion min, proxy::TlsVersion max) {
  std::vector<std::string> names;
  for (const proxy::TlsVersion version : kVersions) {
    const bool is_above = min == proxy::TlsVersion::Any || version >= min;
    const bool is_below = max == proxy::TlsVersion::Any || version <= max;
    if (is_above && is_below) names.push_back(Codec<proxy::TlsVersion>::render(version));
  }
  return join_list(names);
}

}  // namespace pgweir::config
