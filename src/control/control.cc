#include "control/control.h"

#include <utility>

namespace pgweir::control {

namespace {

// How long the end waits for servers to answer our goodbyes.
constexpr base::Duration kGoodbyeMax = std::chrono::seconds(1);

}  // namespace

base::Result<std::unique_ptr<Control>> Control::create(const ControlOptions& options,
                                                       obs::Log& log) {
  std::unique_ptr<loop::Loop> loop = TRY(loop::Loop::create());
  std::unique_ptr<Resolver> resolver = TRY(Resolver::create(*loop, options.resolver));
  return std::unique_ptr<Control>(new Control(log, std::move(loop), std::move(resolver)));
}

Control::Control(obs::Log& log, std::unique_ptr<loop::Loop> loop,
                 std::unique_ptr<Resolver> resolver)
    : log_(log), loop_(std::move(loop)), resolver_(std::move(resolver)) {}

NodeIndex Control::add_node(NodeOptions options) {
  nodes_.push_back(
      std::make_unique<Node>(*loop_, *resolver_, log_, std::move(options), [this] { publish(); }));
  if (std::this_thread::get_id() == thread_.get_id()) nodes_.back()->start();
  publish();
  return NodeIndex{static_cast<std::uint32_t>(nodes_.size() - 1)};
}

void Control::follow_name(const std::string& host, Resolver::Changed changed) {
  loop_->post([this, host, changed = std::move(changed)] {
    if (resolver_ != nullptr) resolver_->follow(host, changed);
  });
}

base::Status Control::handle_signals(std::initializer_list<int> signals,
                                     std::function<void(int)> told) {
  signals_ = TRY(Signals::create(*loop_, signals, std::move(told)));
  return base::success();
}

void Control::start() {
  ASSERT(!thread_.joinable());
  thread_ = std::thread([this] { run(); });
}

void Control::run() {
  for (const auto& node : nodes_) node->start();
  loop_->run();
  nodes_.clear();
  signals_.reset();
  resolver_.reset();
  loop_->drain(loop_->now() + kGoodbyeMax);
}

void Control::stop() {
  if (!thread_.joinable()) return;
  loop_->stop();
  thread_.join();
}

void Control::note_clients(NodeIndex node, Clients clients) {
  tell(node, [clients](Node& told) { told.handle_clients(clients); });
}

void Control::note_refused(NodeIndex node) {
  tell(node, [](Node& told) { told.handle_refused(); });
}

void Control::note_lost(NodeIndex node, int pid, std::function<void()> gone) {
  tell(node, [pid, gone = std::move(gone)](Node& told) { told.find_lost(pid, gone); });
}

void Control::tell(NodeIndex node, std::function<void(Node&)> what) {
  loop_->post([this, index = static_cast<std::size_t>(node), what = std::move(what)] {
    if (index < nodes_.size()) what(*nodes_[index]);
  });
}

std::shared_ptr<const ControlSnapshot> Control::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

void Control::publish() {
  auto fresh = std::make_shared<ControlSnapshot>();
  for (const auto& node : nodes_) fresh->nodes.push_back(node->snapshot());
  const std::lock_guard lock(mutex_);
  snapshot_ = std::move(fresh);
}

}  // namespace pgweir::control
