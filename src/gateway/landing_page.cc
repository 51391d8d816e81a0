#include "gateway/landing_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "obs/wall_time.h"

namespace pgweir::gateway {
namespace {

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5">
<title>pgweir</title>
<style>
  :root { color-scheme: light dark; --line: #8883; --dim: #888; --good: #1a8f5a; --bad: #d1443c; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 12vh auto;
         padding: 0 1.5rem; }
  h1 { font-size: 1.6rem; margin: 0; letter-spacing: -.02em; }
  p { margin: .4rem 0 0; color: var(--dim); }
  .state { color: CanvasText; margin-top: 2rem; }
  .state::before { content: ""; display: inline-block; width: .65em; height: .65em;
                   border-radius: 50%; margin-right: .5em; background: var(--good); }
  .state.bad::before { background: var(--bad); }
  .bar { height: .5rem; border-radius: .25rem; background: var(--line); margin: 1rem 0 1.5rem; }
  .bar div { height: 100%; border-radius: .25rem; background: var(--good); }
  dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1px;
       background: var(--line); border: 1px solid var(--line); border-radius: .5rem;
       overflow: hidden; margin: 0; }
  dl div { background: Canvas; padding: .8rem 1rem; }
  dt { font-size: .8rem; color: var(--dim); }
  dd { margin: 0; font-size: 1.4rem; font-variant-numeric: tabular-nums; }
  nav { margin-top: 2rem; display: flex; gap: 1.2rem; flex-wrap: wrap; }
  a { color: inherit; text-underline-offset: .2em; }
  footer { margin-top: 2rem; font-size: .8rem; color: var(--dim); }
</style>
<h1>pgweir</h1>
<p>A connection pooler for PostgreSQL. It keeps the database below its limit and gives everybody
a turn.</p>
)";

constexpr std::string_view kLinks = R"(<nav>
  <a href="/api/health">/api/health</a>
  <a href="/livez">/livez</a>
  <a href="/readyz">/readyz</a>
  <a href="/metrics">/metrics</a>
</nav>
)";

// A reason may quote what a server sent.
std::string escape(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '"': safe += "&quot;"; break;
      default: safe += c;
    }
  }
  return safe;
}

std::string number_or_dash(const std::optional<std::uint32_t>& number) {
  return number ? std::to_string(*number) : "–";
}

std::string tile(std::string_view name, std::string_view value) {
  return fmt::format("  <div><dt>{}</dt><dd>{}</dd></div>\n", name, value);
}

std::string state_line(const HealthSnapshot& health) {
  if (health.is_connected) return "<p class=\"state\">The database answers.</p>\n";
  return fmt::format("<p class=\"state bad\">The database does not answer: {}</p>\n",
                     escape(health.reason));
}

// How much of the limit is in use.
std::string bar(const PoolSnapshot& pool) {
  const std::uint32_t limit = pool.limit.value_or(0);
  const std::uint32_t percent = limit == 0 ? 0 : 100 * pool.in_use / limit;
  return fmt::format("<div class=\"bar\"><div style=\"width:{}%\"></div></div>\n",
                     std::min(percent, 100U));
}

std::string tiles(const HealthSnapshot& health) {
  const PoolSnapshot& pool = health.pool;
  return "<dl>\n" +
         tile("connections in use",
              fmt::format("{} of {}", pool.in_use, number_or_dash(pool.limit))) +
         tile("open", std::to_string(pool.open)) + tile("idle", std::to_string(pool.idle)) +
         tile("clients waiting", std::to_string(pool.waiting)) +
         tile("clients on the server", number_or_dash(health.active_connections)) +
         tile("max_connections", number_or_dash(health.max_connections)) + "</dl>\n";
}

// Tells old numbers from new ones: the service connection rests while there are no clients.
std::string footer(const HealthSnapshot& health, std::chrono::system_clock::time_point now) {
  const std::string asked = health.age
                                ? fmt::format("the database was asked {:.1f} s before",
                                              std::chrono::duration<double>(*health.age).count())
                                : "the database has not been asked yet";
  return fmt::format("<footer>pgweir {} · {} · {}</footer>\n</html>\n", PGWEIR_VERSION,
                     obs::iso_text(now), asked);
}

}  // namespace

std::string landing_page(const HealthSnapshot& health, std::chrono::system_clock::time_point now) {
  return std::string(kHead) + state_line(health) + bar(health.pool) + tiles(health) +
         std::string(kLinks) + footer(health, now);
}

}  // namespace pgweir::gateway
