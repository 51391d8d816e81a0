#include "server/start_message.h"

#include <fmt/format.h>

#include "budget/allowance.h"

namespace pgweir::server {
namespace {

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                          std::string_view("-._~").find(c) != std::string_view::npos;
    if (is_plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

// As it stands in a URL.
std::string host_in_url(const std::string& listened) {
  if (listened == "*" || listened == "0.0.0.0" || listened == "::") return "localhost";
  return listened.find(':') == std::string::npos ? listened : "[" + listened + "]";
}

std::string host_of(const config::ListenOptions& listen) {
  return listen.addresses.empty() ? "localhost" : host_in_url(listen.addresses.front());
}

// What the listener supports, and Prisma as well as libpq understands.
std::string_view sslmode_of(proxy::SslMode mode) {
  if (mode == proxy::SslMode::Disable) return "disable";
  return mode >= proxy::SslMode::Require ? "require" : "prefer";
}

std::string url_of(const config::Config& config) {
  const proxy::DatabaseOptions* database = nullptr;
  for (const proxy::DatabaseOptions& one : config.proxy.databases) {
    if (one.name != "*") {
      database = &one;
      break;
    }
  }
  const std::string name = database == nullptr ? "DATABASE" : database->name;
  const std::string user = config.proxy.users.empty() ? "USER" : config.proxy.users.front().name;
  const bool has_password =
      !config.proxy.users.empty() && !config.proxy.users.front().secret.empty();
  return fmt::format("postgresql://{}{}@{}:{}/{}?sslmode={}", percent_encoded(user),
                     has_password ? ":****" : "", host_of(config.listen), config.listen.port,
                     percent_encoded(name), sslmode_of(config.client_tls.mode));
}

std::string explain(budget::Sum sum) {
  if (sum.bound == budget::Bound::Configured) return "as connection_limit says";
  std::erase_if(sum.terms, [](const budget::Term& term) { return term.value == 0; });
  return budget::describe(sum);
}

std::string slots_of(const control::NodeSnapshot& node) {
  if (!node.facts || !node.allowance) {
    return fmt::format("  {}: {}\n", node.node,
                       node.reason.empty() ? "not looked at yet" : node.reason);
  }
  if (node.usable == pool::kUnlimited) {
    return fmt::format(
        "  {}: says {} connections at most, but another pooler answers there, or its numbers\n"
        "    make no sense: pgweir keeps to what is configured (connection_limit, pool sizes)\n",
        node.node, node.facts->max_connections);
  }
  std::string text = fmt::format("  {}: {} connections at most, pgweir uses up to {}\n", node.node,
                                 node.facts->max_connections, node.usable);
  for (const budget::Sum& sum : node.allowance->sums) {
    if (sum.bound == node.allowance->bound) {
      text += fmt::format("    {}\n", explain(sum));
    }
  }
  for (const control::NamedSum& level : node.level_sums) {
    text += fmt::format("    {} \"{}\": {}\n",
                        level.sum.bound == budget::Bound::Role ? "role" : "database", level.name,
                        explain(level.sum));
  }
  if (node.allowance->is_far_below_server) {
    text +=
        "    The set connection_limit is less than a third of what the server could give;\n"
        "    was it meant for one client process? Leave it out and pgweir finds the number.\n";
  }
  return text;
}

}  // namespace

std::string render_start_message(const config::Config& config, const StartFacts& facts) {
  std::string text = fmt::format("pgweir {} is ready.\n\n", PGWEIR_VERSION);
  text += fmt::format("In your DATABASE_URL, change host and port to {}:{}:\n  {}\n",
                      host_of(config.listen), config.listen.port, url_of(config));
  if (facts.is_self_signed) {
    text +=
        "  TLS is offered with a self-signed certificate: sslmode=require works with libpq and\n"
        "  Prisma up to 6; node-postgres and Prisma 7 want sslmode=no-verify, disable, or a real\n"
        "  certificate (client_tls_cert_file, client_tls_key_file).\n";
  }
  if (!config.http.address.is_off()) {
    text += fmt::format("Health: http://{}:{}/api/health\n", host_in_url(config.http.address.host),
                        config.http.address.port);
  }
  text += "Slots:\n";
  for (const control::NodeSnapshot& node : facts.control.nodes) text += slots_of(node);
  for (const config::Note& note : config.notes) text += fmt::format("Note: {}\n", note.line());
  return text;
}

}  // namespace pgweir::server
