#include "server/daemon.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <future>
#include <thread>

#include "config/compare.h"
#include "config/effective.h"
#include "control/control.h"
#include "control/signals.h"
#include "gateway/http_server.h"
#include "net/limits.h"
#include "net/reactor.h"
#include "obs/log.h"
#include "obs/metrics.h"
#include "obs/wall_time.h"
#include "proxy/login.h"
#include "proxy/placement.h"
#include "proxy/relay.h"
#include "server/control_desk.h"
#include "server/cpu_count.h"
#include "server/events.h"
#include "server/listeners.h"
#include "server/log_output.h"
#include "server/pid_file.h"
#include "server/privileges.h"
#include "server/snapshots.h"
#include "server/start_message.h"
#include "server/state_directory.h"
#include "server/statistics.h"
#include "server/system_entropy.h"
#include "server/tls.h"
#include "wire/sqlstate.h"

namespace pgweir::server {
namespace {

// Descriptors that are not clients: servers, listeners, epoll, HTTP, files.
constexpr std::uint64_t kDescriptorsReserved = 512;
// How long the start message waits for the first look at the databases.
constexpr auto kFirstLookMax = std::chrono::seconds(6);
// How often the log is asked for lines that are due; it has none within some seconds of another.
constexpr base::Duration kLogEvery = std::chrono::milliseconds(2500);

obs::LogClock log_clock() {
  return {.now = loop::monotonic_now,
          .wall_time = [] { return obs::iso_text(std::chrono::system_clock::now()); }};
}

base::ByteBuffer descriptor_refusal() {
  base::ByteBuffer text;
  wire::encode_error(text, {.severity = "FATAL",
                            .sqlstate = std::string(wire::sqlstate::kTooManyConnections),
                            .message = "pgweir has no file descriptor left for another client",
                            .detail = {},
                            .hint = "Raise the limit on open files (ulimit -n, LimitNOFILE)."});
  return text;
}

// max_client_conn, where it is not set, follows from what this process may open.
std::shared_ptr<const proxy::Options> proxy_options(const config::Config& config,
                                                    const DaemonTls& tls) {
  auto options = std::make_shared<proxy::Options>(config.proxy);
  for (std::size_t i = 0; i < options->databases.size(); ++i) {
    options->databases[i].tls_setup = tls.servers[i];
  }
  const std::uint64_t limit = net::raise_descriptor_limit().now;
  if (options->client_count_max == 0 && limit < UINT32_MAX) {
    options->client_count_max = static_cast<std::uint32_t>(
        limit > 2 * kDescriptorsReserved ? limit - kDescriptorsReserved : limit / 2);
  }
  return options;
}

proxy::LoginTls login_tls(const config::Config& config) {
  return {.is_offered = config.client_tls.mode != proxy::SslMode::Disable,
          .is_required = config.client_tls.mode >= proxy::SslMode::Require};
}

net::ReactorOptions reactor_options(std::string name, int nice, const config::TcpOptions& tcp) {
  net::ReactorOptions options;
  options.name = std::move(name);
  options.nice = nice;
  options.socket = socket_options(tcp);
  return options;
}

std::uint32_t data_reactor_count(std::uint32_t configured) {
  return configured != 0 ? configured : default_data_reactor_count(usable_cpu_count());
}

// A thread that serves logged-in clients.
struct DataReactor {
  SystemEntropy entropy;
  std::unique_ptr<net::Reactor> reactor;
  std::unique_ptr<proxy::Relay> relay;
  std::thread thread;
};

class Daemon {
 public:
  explicit Daemon(const DaemonOptions& options)
      : options_(options),
        config_(options.config),
        data_(data_reactor_count(config_->process.data_reactors)) {}

  base::Status start();
  int wait();

 private:
  base::Status open_log();
  base::Status make_reactors();
  base::Status make_control();
  void make_core();
  void run_threads();
  void say_hello(const std::future<bool>& drained);
  void handle_signal(int signal);
  void handle_hangup();
  void drain(bool is_now);
  void stop();
  std::vector<net::Inbox*> relay_inboxes() const;
  // Sends Login and each Relay what `make` makes for it.
  template <class Make>
  void tell_core(Make make) {
    login_reactor_->inbox().post(make());
    for (const DataReactor& data : data_) data.reactor->inbox().post(make());
  }

  const DaemonOptions& options_;
  std::shared_ptr<const config::Config> config_;
  std::vector<DataReactor> data_;
  std::string state_directory_;
  PidFile pid_file_;
  DaemonTls tls_;
  std::unique_ptr<LogOutput> log_output_;
  std::unique_ptr<obs::Log> log_;
  obs::Metrics metrics_;
  std::unique_ptr<Statistics> statistics_;
  pool::Exchange exchange_{static_cast<std::uint32_t>(data_.size()) + kOtherExchangeUsers,
                           static_cast<std::uint32_t>(data_.size())};
  proxy::Placement placement_{exchange_, static_cast<std::uint32_t>(data_.size())};
  proxy::SharedCounts counts_;
  SystemEntropy login_entropy_;

  std::unique_ptr<net::Reactor> login_reactor_;
  net::Switchboard switchboard_;
  std::unique_ptr<control::Control> control_;
  std::unique_ptr<ControlDesk> desk_;
  std::unique_ptr<proxy::Login> login_;
  std::unique_ptr<Snapshots> snapshots_;
  std::unique_ptr<gateway::HttpServer> http_;
  std::thread login_thread_;

  bool is_draining_ = false;    // Control thread only.
  std::promise<bool> drained_;  // Whether it was clean.
  bool has_drained_ = false;    // Control thread only.
};

base::Status Daemon::open_log() {
  log_output_ = TRY(LogOutput::open(config_->log.file));
  log_ = std::make_unique<obs::Log>(*log_output_, log_clock(), config_->log.events);
  statistics_ = std::make_unique<Statistics>(metrics_, *log_);
  statistics_->set_options(config_->log);
  return base::success();
}

base::Status Daemon::make_reactors() {
  login_reactor_ = TRY(net::Reactor::create(reactor_options("pgweir-login", 5, config_->tcp)));
  for (std::size_t i = 0; i < data_.size(); ++i) {
    const std::string name = i == 0 ? "pgweir-data" : fmt::format("pgweir-data-{}", i + 1);
    data_[i].reactor = TRY(net::Reactor::create(reactor_options(name, 0, config_->tcp)));
  }
  login_reactor_->listen(TRY(open_listeners(*config_)), descriptor_refusal());
  login_reactor_->set_tls(tls_.clients);
  switchboard_.login = &login_reactor_->inbox();
  switchboard_.relays = relay_inboxes();
  login_reactor_->attach(switchboard_);
  for (const DataReactor& data : data_) data.reactor->attach(switchboard_);
  return base::success();
}

base::Status Daemon::make_control() {
  control::ControlOptions options;
  options.resolver.ttl_max = config_->dns.ttl_max;
  options.resolver.failure_ttl = config_->dns.failure_ttl;
  options.resolver.resolv_conf = config_->dns.resolv_conf;
  control_ = TRY(control::Control::create(options, *log_));
  desk_ = std::make_unique<ControlDesk>(*control_, login_reactor_->inbox(), relay_inboxes(),
                                        placement_, [this](bool is_clean) {
                                          if (!has_drained_) drained_.set_value(is_clean);
                                          has_drained_ = true;
                                        });
  desk_->add_nodes(*config_, exchange_);
  desk_->follow_names(config_->proxy);
  switchboard_.control = desk_.get();
  return control_->handle_signals({SIGTERM, SIGINT, SIGHUP},
                                  [this](int signal) { handle_signal(signal); });
}

void Daemon::make_core() {
  const auto options = proxy_options(*config_, tls_);
  login_ = std::make_unique<proxy::Login>(*login_reactor_, login_entropy_, *log_, counts_,
                                          placement_, options, login_tls(*config_));
  login_reactor_->attach(*login_);
  snapshots_ =
      std::make_unique<Snapshots>(*control_, metrics_, *log_, config_->budget.connection_limit);
  snapshots_->add_reactor(*login_reactor_);
  for (std::uint32_t i = 0; i < data_.size(); ++i) {
    DataReactor& data = data_[i];
    data.relay = std::make_unique<proxy::Relay>(proxy::RelayWorld{.io = *data.reactor,
                                                                  .entropy = data.entropy,
                                                                  .log = *log_,
                                                                  .metrics = metrics_,
                                                                  .counts = counts_,
                                                                  .exchange = exchange_,
                                                                  .placement = placement_,
                                                                  .index = i,
                                                                  .seed = data.entropy.u32(),
                                                                  .limits = desk_->limits_unseen()},
                                                options);
    data.reactor->attach(*data.relay);
    snapshots_->add_reactor(*data.reactor);
  }
}

std::vector<net::Inbox*> Daemon::relay_inboxes() const {
  std::vector<net::Inbox*> inboxes;
  for (const DataReactor& data : data_) inboxes.push_back(&data.reactor->inbox());
  return inboxes;
}

base::Status Daemon::start() {
  control::block_signals({SIGTERM, SIGINT, SIGHUP});
  std::signal(SIGPIPE, SIG_IGN);
  // First of all, so that what is made from here on belongs to that user.
  if (!config_->process.user.empty()) TRY(become(config_->process.user));
  TRY(open_log());
  if (!config_->process.pid_file.empty()) TRY(pid_file_.write(config_->process.pid_file));
  state_directory_ = TRY(ensure_state_directory(config_->process.state_directory));
  tls_ = TRY(make_tls(*config_, state_directory_));
  TRY(make_reactors());
  TRY(make_control());
  make_core();
  http_ = std::make_unique<gateway::HttpServer>(config_->http, gateway::HttpLimits{}, *snapshots_,
                                                *log_);
  TRY(http_->start());
  run_threads();
  return base::success();
}

void Daemon::run_threads() {
  control_->start();
  for (DataReactor& data : data_) data.thread = std::thread([&data] { data.reactor->run(); });
  login_thread_ = std::thread([this] { login_reactor_->run(); });
  snapshots_->set_readiness(gateway::Readiness::Ready);
  log_->event(kStarted, {obs::kv("version", PGWEIR_VERSION), obs::kv("port", config_->listen.port),
                         obs::kv("databases", config_->proxy.databases.size()),
                         obs::kv("data_reactors", data_.size())});
}

// Waits a little for the databases to be looked at: the slots are what people want to see.
void Daemon::say_hello(const std::future<bool>& drained) {
  const base::Instant until = loop::monotonic_now() + kFirstLookMax;
  const auto is_looked_at = [this] {
    for (const control::NodeSnapshot& node : control_->snapshot()->nodes) {
      if (!node.allowance && node.reason.empty()) return false;
    }
    return true;
  };
  while (!is_looked_at() && loop::monotonic_now() < until) {
    const auto step = std::chrono::milliseconds(20);
    if (drained.wait_for(step) == std::future_status::ready) return;  // A signal was faster.
  }
  options_.say(render_start_message(
      *config_, {.is_self_signed = tls_.is_self_signed, .control = *control_->snapshot()}));
}

void Daemon::handle_signal(int signal) {
  if (signal == SIGHUP) {
    handle_hangup();
  } else {
    drain(is_draining_);
  }
}

void Daemon::drain(bool is_now) {
  is_draining_ = true;
  log_->event(kDraining, {obs::kv("at_once", is_now)});
  snapshots_->set_readiness(gateway::Readiness::Draining);
  login_reactor_->stop_listening();
  tell_core([is_now] {
    auto drain = std::make_unique<proxy::Drain>();
    drain->is_now = is_now;
    return drain;
  });
}

void Daemon::handle_hangup() {
  if (const auto reopened = log_output_->reopen(); !reopened) {
    log_->event(kReloadFailed, {obs::kv("problem", reopened.error().context)});
  }
  config::LoadResult loaded = options_.reload();
  for (const config::Mistake& mistake : loaded.mistakes) {
    log_->event(kReloadFailed, {obs::kv("problem", mistake.line())});
  }
  if (!loaded.config) return;
  auto fresh = std::make_shared<const config::Config>(std::move(*loaded.config));
  auto tls = make_tls(*fresh, state_directory_);
  if (!tls) {
    log_->event(kReloadFailed, {obs::kv("problem", tls.error().context)});
    return;
  }
  for (const config::Change& change : config::compare(*config_, *fresh)) {
    log_->event(kSettingChanged, {obs::kv("setting", change.name), obs::kv("before", change.before),
                                  obs::kv("after", change.after),
                                  obs::kv("takes_effect", config::describe(change.reload))});
  }
  login_reactor_->set_tls(tls->clients);
  log_->set_options(fresh->log.events);
  statistics_->set_options(fresh->log);
  desk_->add_nodes(*fresh, exchange_);
  desk_->follow_names(fresh->proxy);
  const auto options = proxy_options(*fresh, *tls);
  tell_core([&] {
    auto changed = std::make_unique<proxy::OptionsChanged>();
    changed->options = options;
    changed->client_tls = login_tls(*fresh);
    changed->limits = desk_->limits_unseen();
    return changed;
  });
  config_ = fresh;
  log_->event(kReloaded);
}

int Daemon::wait() {
  std::future<bool> drained = drained_.get_future();
  say_hello(drained);
  // Lines that the log writes by itself are due now and then; nothing else happens here.
  while (drained.wait_for(statistics_->call_after(loop::monotonic_now(), kLogEvery)) !=
         std::future_status::ready) {
    log_->write_suppressed();
    statistics_->write_if_due(loop::monotonic_now());
  }
  const bool is_clean = drained.get();
  stop();
  log_->event(kStopped, {obs::kv("clean", is_clean)});
  log_->write_suppressed(true);
  return is_clean ? 0 : 1;
}

// Outside in: nobody asks any more, then nobody answers.
void Daemon::stop() {
  http_->stop();
  login_reactor_->stop();
  login_thread_.join();
  for (DataReactor& data : data_) data.reactor->stop();
  for (DataReactor& data : data_) data.thread.join();
  control_->stop();
}

}  // namespace

base::Result<int> run_daemon(const DaemonOptions& options) {
  Daemon daemon(options);
  TRY(daemon.start());
  return daemon.wait();
}

}  // namespace pgweir::server
