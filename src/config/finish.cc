#include "config/finish.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/codec.h"
#include "config/fields.h"

namespace pgweir::config {
namespace {

using proxy::AuthMethod;
using proxy::SslMode;

// Keeps empty items: "a,,b" names three hosts, the second of which is a mistake.
std::vector<std::string> split_parallel(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    items.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) items.emplace_back();
  }
  return items;
}

class HostList {
 public:
  HostList(const DatabaseDraft& draft, const DatabaseContext& context, Report& report)
      : context_(context),
        report_(report),
        hosts_(split_parallel(draft.host_list)),
        addresses_(split_parallel(draft.address_list)),
        ports_(split_parallel(draft.port_list)) {
    if (hosts_.empty() && addresses_.empty() && !context.host_default.empty()) {
      hosts_.emplace_back(context.host_default);
    }
  }

  std::vector<proxy::ServerAddress> zip() {
    std::vector<proxy::ServerAddress> zipped;
    const std::size_t count = std::max(hosts_.size(), addresses_.size());
    if (!check_counts(count)) return zipped;
    for (std::size_t i = 0; i < count; ++i) {
      proxy::ServerAddress one;
      if (!addresses_.empty()) one.address = addresses_[i];
      one.host = hosts_.empty() ? one.address : hosts_[i];
      if (one.host.empty())
        complain("host", "is empty; expected a name, an address or a directory");
      if (!ports_.empty()) take_port(ports_.size() == 1 ? ports_[0] : ports_[i], one.port);
      zipped.push_back(std::move(one));
    }
    return zipped;
  }

 private:
  bool check_counts(std::size_t count) {
    if (count == 0) {
      complain(
          "host",
          "is missing; expected the server's name, its address or the directory of its socket");
    } else if (!addresses_.empty() && !hosts_.empty() && addresses_.size() != hosts_.size()) {
      complain("hostaddr",
               fmt::format("has {} entries for {} hosts", addresses_.size(), hosts_.size()));
    } else if (ports_.size() > 1 && ports_.size() != count) {
      complain("port", fmt::format("has {} entries for {} hosts", ports_.size(), count));
    } else {
      return true;
    }
    return false;
  }

  // Never quotes the text: in a URL that was written wrongly it may be a piece of the password.
  void take_port(std::string_view text, std::uint16_t& port) {
    if (text.empty()) return;
    if (Codec<std::uint16_t>::parse({.text = text}, port)) {
      complain("port", "must be a number from 1 to 65535");
    }
  }

  void complain(std::string_view key, std::string what) {
    const auto origin = context_.origins.find(key);
    report_.add_mistake(origin == context_.origins.end() ? context_.place : origin->second, key,
                        std::move(what));
  }

  const DatabaseContext& context_;
  Report& report_;
  std::vector<std::string> hosts_;
  std::vector<std::string> addresses_;
  std::vector<std::string> ports_;
};

Place origin_of(const ProcessDraft& draft, std::string_view name) {
  const auto found = draft.origins.find(name);
  return found == draft.origins.end() ? Place{} : found->second;
}

bool is_verifying(SslMode mode) { return mode == SslMode::VerifyCa || mode == SslMode::VerifyFull; }

void check_client_tls(const ProcessDraft& draft, Report& report) {
  const ClientTlsOptions& tls = draft.client_tls;
  if (tls.cert_file.empty() != tls.key_file.empty()) {
    const bool has_cert = !tls.cert_file.empty();
    const std::string_view present = has_cert ? "client_tls_cert_file" : "client_tls_key_file";
    const std::string_view missing = has_cert ? "client_tls_key_file" : "client_tls_cert_file";
    report.add_mistake(origin_of(draft, present), present, fmt::format("needs {} too", missing));
  }
  if (is_verifying(tls.mode) && tls.ca_file.empty()) {
    report.add_mistake(origin_of(draft, "client_tls_sslmode"), "client_tls_sslmode",
                       "asks for clients' certificates, which needs client_tls_ca_file");
  }
  if (draft.proxy.auth_method == AuthMethod::Cert && !is_verifying(tls.mode)) {
    report.add_mistake(origin_of(draft, "auth_type"), "auth_type",
                       "cert needs client_tls_sslmode = verify-full");
  }
}

void check_listeners(const ProcessDraft& draft, Report& report) {
  if (draft.listen.addresses.empty() && draft.listen.unix_socket_dir.empty()) {
    report.add_mistake(origin_of(draft, "listen_addr"), "listen_addr",
                       "is empty and so is unix_socket_dir: no client could connect");
  }
}

void check_databases(const ProcessDraft& draft, Report& report) {
  if (draft.proxy.auth_method != AuthMethod::Any) return;
  for (const proxy::DatabaseOptions& database : draft.proxy.databases) {
    if (!database.user.empty()) continue;
    report.add_mistake(
        origin_of(draft, "auth_type"), "auth_type",
        fmt::format("any needs a user for every database; {} has none", database.name));
  }
}

}  // namespace

void finish_database(DatabaseDraft& draft, const DatabaseContext& context, Report& report) {
  draft.hosts = HostList(draft, context, report).zip();
  const bool has_name = !startup_parameter(draft, "application_name").empty();
  if (!has_name) set_startup_parameter(draft, "application_name", draft.application_name_fallback);
  settle_tls(draft, context, report);
  if (draft.pool.server_count_min > draft.pool.server_count_max) {
    report.add_note(context.place, "min_pool_size", "is above the pool's size, which holds");
    draft.pool.server_count_min = draft.pool.server_count_max;
  }
}

void finish_process(ProcessDraft& draft, Report& report) {
  auto& databases = draft.proxy.databases;
  std::stable_partition(databases.begin(), databases.end(),
                        [](const proxy::DatabaseOptions& one) { return one.name != "*"; });
  std::sort(draft.proxy.users.begin(), draft.proxy.users.end(),
            [](const auto& left, const auto& right) { return left.name < right.name; });
  check_client_tls(draft, report);
  check_listeners(draft, report);
  check_databases(draft, report);
}

}  // namespace pgweir::config
