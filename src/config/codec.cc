#include "config/codec.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "config/number.h"
#include "config/size.h"
#include "pool/options.h"

namespace pgweir::config {
namespace {

constexpr std::size_t kShownSizeMax = 60;

// Values come from a file of the user's own, but control characters and megabytes help nobody. A
// password that stands behind the wrong separator ("require;password=…") stays out of sight.
std::string shown(std::string_view text) {
  const std::size_t separator = text.find_first_of(";&?");
  const bool may_hold_more = separator != text.npos && text.find('=', separator) != text.npos;
  const std::size_t size_max =
      may_hold_more ? std::min(separator + 1, kShownSizeMax) : kShownSizeMax;
  std::string out(text.substr(0, size_max));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  if (text.size() > size_max) out += "…";
  return out;
}

std::string describe_number(const Input& input) {
  if (input.number_max == UINT32_MAX) {
    return fmt::format("a whole number from {}", input.number_min);
  }
  return fmt::format("a whole number from {} to {}", input.number_min, input.number_max);
}

std::optional<std::uint64_t> number_in_range(const Input& input) {
  const auto number = parse_whole_number(input.text);
  if (!number || *number < input.number_min || *number > input.number_max) return std::nullopt;
  return number;
}

}  // namespace

Complaint complain(std::string_view wanted, std::string_view text) {
  return fmt::format("must be {}, not '{}'", wanted, shown(text));
}

Complaint complain_choice(std::string_view text, const std::vector<std::string_view>& choices) {
  std::string what = fmt::format("'{}' is none of {}", shown(text), fmt::join(choices, ", "));
  const std::string_view near = nearest_name(text, choices);
  if (!near.empty()) what += fmt::format("; did you mean {}?", near);
  return what;
}

std::optional<std::uint64_t> parse_whole_number(std::string_view text) {
  text = trim(text);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view item = trim(text.substr(0, comma));
    if (!item.empty()) items.emplace_back(item);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return items;
}

std::string join_list(const std::vector<std::string>& items) {
  return fmt::format("{}", fmt::join(items, ","));
}

// PostgreSQL's protocol ends texts with a zero byte, so none can be inside one.
Complaint Codec<std::string>::parse(const Input& input, std::string& to) {
  if (input.text.find('\0') != std::string_view::npos) return "must not hold a zero byte";
  to = input.text;
  return std::nullopt;
}

Complaint Codec<base::Secret>::parse(const Input& input, base::Secret& to) {
  if (input.text.find('\0') != std::string_view::npos) return "must not hold a zero byte";
  to = base::Secret(input.text);
  return std::nullopt;
}

Complaint Codec<std::vector<std::string>>::parse(const Input& input, std::vector<std::string>& to) {
  if (input.text.find('\0') != std::string_view::npos) return "must not hold a zero byte";
  to = split_list(input.text);
  return std::nullopt;
}

Complaint Codec<bool>::parse(const Input& input, bool& to) {
  for (const std::string_view yes : {"1", "true", "on", "yes"}) {
    if (is_same_name(input.text, yes)) {
      to = true;
      return std::nullopt;
    }
  }
  for (const std::string_view no : {"0", "false", "off", "no"}) {
    if (is_same_name(input.text, no)) {
      to = false;
      return std::nullopt;
    }
  }
  return complain("true or false", input.text);
}

Complaint Codec<std::uint16_t>::parse(const Input& input, std::uint16_t& to) {
  const auto number = parse_whole_number(input.text);
  if (!number || *number == 0 || *number > UINT16_MAX) {
    return complain("a port from 1 to 65535", input.text);
  }
  to = static_cast<std::uint16_t>(*number);
  return std::nullopt;
}

Complaint Codec<std::uint32_t>::parse(const Input& input, std::uint32_t& to) {
  const auto number = number_in_range(input);
  if (!number) return complain(describe_number(input), input.text);
  to = static_cast<std::uint32_t>(*number);
  return std::nullopt;
}

Complaint Codec<std::uint64_t>::parse(const Input& input, std::uint64_t& to) {
  const auto bytes = parse_size(input.text);
  if (!bytes) return complain("a size: bytes, or with a unit such as 64kB or 1MB", input.text);
  to = *bytes;
  return std::nullopt;
}

std::string Codec<std::uint64_t>::render(const std::uint64_t& value) { return render_size(value); }

Complaint Codec<base::Duration>::parse(const Input& input, base::Duration& to) {
  const auto duration = parse_duration(input.text, input.unit);
  if (!duration) return complain(describe_duration(input.unit), input.text);
  to = *duration;
  return std::nullopt;
}

Complaint Codec<HttpAddress>::parse(const Input& input, HttpAddress& to) {
  if (is_same_name(input.text, "off")) {
    to.host.clear();
    return std::nullopt;
  }
  constexpr std::string_view kWanted = "address:port such as 127.0.0.1:6433 or [::1]:6433, or off";
  const std::size_t colon = input.text.rfind(':');
  if (colon == std::string_view::npos) return complain(kWanted, input.text);
  std::string_view host = input.text.substr(0, colon);
  const auto port = parse_whole_number(input.text.substr(colon + 1));
  if (!port || *port == 0 || *port > UINT16_MAX) return complain(kWanted, input.text);
  const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  // Without brackets nobody can tell where an IPv6 address ends.
  if (!is_bracketed && host.find_first_of(":[]") != std::string_view::npos) {
    return complain(kWanted, input.text);
  }
  to.host = host.empty() ? "*" : host;
  to.port = static_cast<std::uint16_t>(*port);
  return std::nullopt;
}

std::string Codec<HttpAddress>::render(const HttpAddress& value) {
  if (value.is_off()) return "off";
  const bool is_ipv6 = value.host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", value.host, value.port)
                 : fmt::format("{}:{}", value.host, value.port);
}

namespace {

struct AuthName {
  std::string_view text;
  bool proxy::ServerAuth::*flag;
};
constexpr std::array kAuthNames{
    AuthName{"password", &proxy::ServerAuth::has_cleartext},
    AuthName{"md5", &proxy::ServerAuth::has_md5},
    AuthName{"scram-sha-256", &proxy::ServerAuth::has_scram},
    AuthName{"none", &proxy::ServerAuth::has_none},
};
// Methods that libpq knows and pgweir never answers to: naming them allows nothing more.
constexpr std::array<std::string_view, 3> kAuthNamesForeign{"gss", "sspi", "oauth"};

}  // namespace

// libpq: either a list of what is allowed, or, with "!" before each, of what is not.
Complaint Codec<proxy::ServerAuth>::parse(const Input& input, proxy::ServerAuth& to) {
  const std::vector<std::string> items = split_list(input.text);
  if (items.empty()) {
    to = {};
    return std::nullopt;
  }
  const bool is_negative = items.front().front() == '!';
  proxy::ServerAuth allowed{is_negative, is_negative, is_negative, is_negative};
  for (const std::string& item : items) {
    if ((item.front() == '!') != is_negative) return "mixes methods with and without '!'";
    const std::string_view name = std::string_view(item).substr(is_negative ? 1 : 0);
    const auto* known = std::find_if(kAuthNames.begin(), kAuthNames.end(),
                                     [&](const AuthName& a) { return a.text == name; });
    if (known != kAuthNames.end()) {
      allowed.*(known->flag) = !is_negative;
    } else if (std::find(kAuthNamesForeign.begin(), kAuthNamesForeign.end(), name) ==
               kAuthNamesForeign.end()) {
      return complain_choice(name, {"password", "md5", "scram-sha-256", "none"});
    }
  }
  to = allowed;
  return std::nullopt;
}

std::string Codec<proxy::ServerAuth>::render(const proxy::ServerAuth& value) {
  if (value == proxy::ServerAuth{}) return {};
  std::vector<std::string_view> names;
  for (const AuthName& name : kAuthNames) {
    if (value.*(name.flag)) names.push_back(name.text);
  }
  return fmt::format("{}", fmt::join(names, ","));
}

Complaint LimitCodec::parse(const Input& input, std::uint32_t& to) {
  std::uint32_t count = 0;
  Complaint complaint = Codec<std::uint32_t>::parse(input, count);
  if (!complaint) to = count == 0 ? pool::kUnlimited : count;
  return complaint;
}

std::string LimitCodec::render(const std::uint32_t& value) {
  return std::to_string(value == pool::kUnlimited ? 0 : value);
}

Complaint OptionalLimitCodec::parse(const Input& input, std::optional<std::uint32_t>& to) {
  return LimitCodec::parse(input, to.emplace());
}

Complaint FileModeCodec::parse(const Input& input, std::uint32_t& to) {
  const std::string_view text = trim(input.text);
  std::uint32_t mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || mode > 0777) {
    return complain("file permissions in octal, such as 0770", input.text);
  }
  to = mode;
  return std::nullopt;
}

}  // namespace pgweir::config
