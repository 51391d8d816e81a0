// How a check's report reads. The order is that of the questions: does it work, what is there, how
// many connections follow, who has the rest, what should be changed.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "control/check.h"

namespace pgweir::control {

namespace {

constexpr std::size_t kColumns = 80;

// Breaks `text` at blanks so that no line is wider than kColumns; what cannot be broken stays
// whole.
std::string wrap(std::string_view first, std::string_view text) {
  const std::string indent(first.size(), ' ');
  std::string out(first);
  std::size_t column = first.size();
  bool is_line_empty = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!is_line_empty && column + 1 + word.size() > kColumns) {
      out += "\n" + indent;
      column = indent.size();
      is_line_empty = true;
    }
    if (!is_line_empty) out += ' ';
    column += word.size() + (is_line_empty ? 0 : 1);
    // Names come from the server: they must not reach the terminal as commands.
    for (const char c : word) out += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? '?' : c;
    is_line_empty = false;
  }
  return out + "\n";
}

std::string field(std::string_view name, std::string_view text) {
  return wrap(fmt::format("  {:<10}", name), text);
}

std::string_view name_of(budget::Bound bound) {
  switch (bound) {
    case budget::Bound::Server: return "slots";
    case budget::Bound::Role: return "role";
    case budget::Bound::Database: return "database";
    case budget::Bound::Configured: return "setting";
  }
  return "";
}

// One term under the other, as one would add them up on paper.
std::string render_sum(const budget::Sum& sum) {
  std::string text;
  for (const budget::Term& term : sum.terms) {
    if (term.value == 0 && !text.empty()) continue;
    text += wrap(fmt::format("  {:<10}{} {:>5}  ", text.empty() ? name_of(sum.bound) : "",
                             term.value < 0 ? '-' : ' ', std::abs(term.value)),
                 term.name);
  }
  if (sum.terms.size() > 1) text += fmt::format("  {:<10}= {:>5}\n", "", sum.total);
  return text;
}

std::string render_limit(const budget::Allowance& allowance) {
  if (allowance.limit == pool::kUnlimited) return field("limit", "unknown");
  return field("limit", fmt::format("{} connection{} for pgweir", allowance.limit,
                                    allowance.limit == 1 ? "" : "s"));
}

std::string render_others(const DatabaseCheck& check) {
  std::string text;
  for (const Usage& usage : check.others)
    text += field(text.empty() ? "others" : "",
                  fmt::format("{} x {} in {}{}{}", usage.count, usage.user, usage.database,
                              usage.application.empty() ? "" : ", ", usage.application));
  return text;
}

std::string render_found(const DatabaseCheck& check) {
  std::string text = field("server", "PostgreSQL " + version_text(check.facts.version));
  text += field("TLS", check.tls.is_used ? check.tls.version + ", " + check.tls.cipher : "none");
  for (const budget::Sum& sum : check.allowance.sums) text += render_sum(sum);
  text += render_limit(check.allowance);
  text += render_others(check);
  for (const std::string& warning : check.warnings) text += wrap("  warning:  ", warning);
  return text;
}

std::string render_database(const DatabaseCheck& check) {
  const auto title = [&](std::string_view verdict) {
    return wrap("", fmt::format("{}: {}{} at {}: {}", check.name,
                                check.user.empty() ? "" : check.user + " in ",
                                check.server_database, check.hosts, verdict));
  };
  if (!check.skip_reason.empty()) return title("not checked") + field("", check.skip_reason);
  if (check.failure)
    return title("FAILED") + field("reason", check.failure->error.context) +
           field("next", advice(check.failure->kind));
  const bool has_room = CheckReport{{check}}.is_ok();
  return title(has_room ? "ok" : "NO LIMIT TO KEEP") + render_found(check);
}

}  // namespace

std::string render(const CheckReport& report) {
  std::string text;
  for (const DatabaseCheck& check : report.databases) {
    if (!text.empty()) text += "\n";
    text += render_database(check);
  }
  return text;
}

}  // namespace pgweir::control
