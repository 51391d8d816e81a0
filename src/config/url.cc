#include "config/url.h"

#include <algorithm>
#include <optional>

#include "config/nearest_name.h"
#include "config/number.h"

namespace pgweir::config {
namespace {

constexpr std::string_view kExpected = "expected postgresql://user:password@host:5432/dbname";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

// Splits at the first of `ends`; `rest` keeps the separator.
std::string_view take_until(std::string_view& rest, std::string_view ends) {
  const std::string_view head = rest.substr(0, rest.find_first_of(ends));
  rest.remove_prefix(head.size());
  return head;
}

bool is_plain_name(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

class UrlParser {
 public:
  UrlParser(const Place& place, Report& report) : place_(place), report_(report) {}

  std::vector<Assignment> parse(std::string_view text) {
    text = trim(text);
    if (!take_scheme(text)) return {};
    const std::string_view authority = take_until(text, "/?#");
    if (!check_at_signs(authority, text)) return {};
    const std::size_t at = authority.rfind('@');
    if (at != std::string_view::npos) take_user(authority.substr(0, at));
    take_hosts(at == std::string_view::npos ? authority : authority.substr(at + 1));
    take_database(text);
    take_parameters(text);
    return std::move(found_);
  }

 private:
  bool take_scheme(std::string_view& text) {
    for (const std::string_view scheme : {"postgresql://", "postgres://"}) {
      if (!is_same_name(text.substr(0, scheme.size()), scheme)) continue;
      text.remove_prefix(scheme.size());
      return true;
    }
    complain("", describe_scheme(text));
    return false;
  }

  static std::string describe_scheme(std::string_view text) {
    const auto begins = [&](std::string_view with) {
      return is_same_name(text.substr(0, with.size()), with);
    };
    const std::string expected(kExpected);
    if (text.empty()) return "is empty; " + expected;
    if (text.front() == '"' || text.front() == '\'') {
      return "begins with a quotation mark, which is part of the value; leave it out";
    }
    if (begins("prisma://") || begins("prisma+postgres://")) {
      return "is a URL of Prisma's own service, which pgweir cannot stand in front of; use the "
             "direct URL of the database: " +
             expected;
    }
    if (begins("jdbc:")) return "is a JDBC URL; " + expected;
    return "is no PostgreSQL URL; " + expected;
  }

  // A password with a bare "@", "/", "?" or "#" takes the URL apart at the wrong places, and what
  // then looks like a host, a port or a parameter is a piece of it.
  bool check_at_signs(std::string_view authority, std::string_view rest) {
    if (std::count(authority.begin(), authority.end(), '@') > 1) {
      complain("", "user or password has a bare '@'; write it as %40");
      return false;
    }
    const bool has_at = authority.find('@') != std::string_view::npos;
    const bool has_at_later = rest.find('@') != std::string_view::npos;
    const bool is_in_path = rest.substr(0, rest.find('?')).find('@') != std::string_view::npos;
    if (!has_at && (is_in_path || (has_at_later && !is_host_list(authority)))) {
      complain("", "user or password has a bare '/', '?' or '#'; write %2F, %3F or %23");
      return false;
    }
    return true;
  }

  // Whether what stands behind the last colon may be a port.
  static bool is_host_list(std::string_view authority) {
    const std::size_t colon = authority.rfind(':');
    return colon == std::string_view::npos ||
           authority.substr(colon + 1).find_first_not_of("0123456789,[]") == std::string_view::npos;
  }

  void take_user(std::string_view info) {
    const std::string_view user = take_until(info, ":");
    add_decoded("user", user);
    if (!info.empty()) add_decoded("password", info.substr(1));
  }

  void take_hosts(std::string_view list) {
    if (list.empty()) return;
    std::string hosts;
    std::string ports;
    bool has_port = false;
    for (bool is_first = true; is_first || !list.empty(); is_first = false) {
      if (!is_first) {
        list.remove_prefix(1);
        hosts += ',';
        ports += ',';
      }
      std::string_view one = take_until(list, ",");
      const auto host = take_host(one);
      if (!host) return;
      hosts += *host;
      has_port |= !one.empty();
      ports += one.empty() ? "5432" : one.substr(1);
    }
    if (hosts.find_first_not_of(',') != std::string::npos) add("host", hosts);
    if (has_port) add_decoded("port", ports);
  }

  // Leaves ":port" or nothing in `one`.
  std::optional<std::string> take_host(std::string_view& one) {
    if (one.empty() || one.front() != '[') {
      auto host = percent_decode(take_until(one, ":"));
      if (!host) complain("host", "has a bad percent sign; it takes two hexadecimal digits");
      return host;
    }
    one.remove_prefix(1);
    auto address = percent_decode(take_until(one, "]"));
    const bool is_closed = !one.empty();
    if (is_closed) one.remove_prefix(1);
    if (is_closed && address && is_ipv6(*address) && (one.empty() || one.front() == ':')) {
      return address;
    }
    complain("host", "must be an IPv6 address in brackets, such as [::1]:5432");
    return std::nullopt;
  }

  // As far as a typing mistake would show; the shell resolves it. "%eth0" at its end is a zone.
  static bool is_ipv6(std::string_view address) {
    address = address.substr(0, address.find('%'));
    return address.find(':') != std::string_view::npos &&
           address.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
  }

  void take_database(std::string_view& rest) {
    if (rest.empty() || rest.front() != '/') return;
    rest.remove_prefix(1);
    const std::string_view name = take_until(rest, "?");
    if (!name.empty()) add_decoded("dbname", name);
  }

  void take_parameters(std::string_view rest) {
    if (!rest.empty()) rest.remove_prefix(1);
    while (!rest.empty()) {
      std::string_view one = take_until(rest, "&");
      if (!rest.empty()) rest.remove_prefix(1);
      if (!one.empty()) take_parameter(one);
    }
  }

  void take_parameter(std::string_view one) {
    const auto key = percent_decode(take_until(one, "="));
    if (!key || !is_plain_name(*key)) {
      complain("", "has a parameter whose name is none; write key=value, and %26 for '&'");
    } else if (one.empty()) {
      complain(*key, "has no value; write " + *key + "=value");
    } else if (takes_plus_for_space(*key, one)) {
      std::string spaced(one.substr(1));
      std::replace(spaced.begin(), spaced.end(), '+', ' ');
      add_decoded(*key, spaced);
    } else {
      add_decoded(*key, one.substr(1));
    }
  }

  // JavaScript and Prisma take '+' for a space, libpq does not, and its meaning holds where the
  // parameter is libpq's too. But no option can begin with one.
  static bool takes_plus_for_space(std::string_view key, std::string_view value) {
    return key == "schema" || (key == "options" && value.find("-c+") != std::string_view::npos);
  }

  void add_decoded(std::string_view key, std::string_view text) {
    const auto value = percent_decode(text);
    if (value) {
      add(key, *value);
    } else {
      complain(key, "has a bad percent sign; it takes two hexadecimal digits, and %25 is '%'");
    }
  }

  // Old spellings that libpq itself still translates.
  void add(std::string_view key, std::string value) {
    const bool is_old = (key == "ssl" && value == "true") || (key == "requiressl" && value == "1");
    if (key == "requiressl" && value == "0") return;
    found_.push_back({std::string(is_old ? "sslmode" : key), is_old ? "require" : std::move(value),
                      Syntax::Url, place_});
  }

  void complain(std::string_view key, std::string what) {
    report_.add_mistake(place_, key, std::move(what));
  }

  const Place& place_;
  Report& report_;
  std::vector<Assignment> found_;
};

}  // namespace

std::vector<Assignment> parse_url(std::string_view text, const Place& place, Report& report) {
  return UrlParser(place, report).parse(text);
}

}  // namespace pgweir::config
