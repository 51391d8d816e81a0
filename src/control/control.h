// Control: the control thread. It owns the loop, the resolver and a Node for each server; other
// threads tell it things and read its snapshot. It is never on the data path, and nobody waits for
// it but stop().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control/node.h"
#include "control/resolver.h"
#include "control/signals.h"
#include "control/snapshot.h"
#include "obs/log.h"

namespace pgweir::control {

// A node, in the order of add_node().
enum class NodeIndex : std::uint32_t {};

struct ControlOptions {
  ResolverOptions resolver = {};
};

class Control {
 public:
  // log: outlives it. Errors: System.
  static base::Result<std::unique_ptr<Control>> create(const ControlOptions& options,
                                                       obs::Log& log);
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;
  ~Control() { stop(); }

  // Before start(), by the thread that created it, or on the control thread: then it is discovered
  // at once.
  NodeIndex add_node(NodeOptions options);
  // From any thread: calls `changed` on the control thread with each new set of addresses of
  // `host`.
  void follow_name(const std::string& host, Resolver::Changed changed);
  // Calls `told` on the control thread. REQUIRES: block_signals() came before the first thread.
  base::Status handle_signals(std::initializer_list<int> signals, std::function<void(int)> told);

  // Starts the thread; each node is discovered at once.
  void start();
  // Ends the thread: hangs up, and waits for the servers' ends for a second at most. What other
  // threads tell from then on is dropped.
  void stop();

  // From any thread, after start().
  void post(loop::Loop::Task task) { loop_->post(std::move(task)); }
  // What the clients of all nodes do, at each change.
  void note_clients(NodeIndex node, Clients clients);
  // A login to the node was refused with 53300.
  void note_refused(NodeIndex node);
  // A backend of ours whose end nobody saw: `gone` is called on the control thread once the server
  // no longer has it.
  void note_lost(NodeIndex node, int pid, std::function<void()> gone);
  // Never null. Its nodes are those of add_node().
  std::shared_ptr<const ControlSnapshot> snapshot() const;

 private:
  Control(obs::Log& log, std::unique_ptr<loop::Loop> loop, std::unique_ptr<Resolver> resolver);
  void run();
  void tell(NodeIndex node, std::function<void(Node&)> what);
  void publish();

  obs::Log& log_;
  std::unique_ptr<loop::Loop> loop_;
  std::unique_ptr<Resolver> resolver_;
  std::unique_ptr<Signals> signals_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::thread thread_;

  mutable std::mutex mutex_;  // Guards the pointer, not what it points to.
  std::shared_ptr<const ControlSnapshot> snapshot_ = std::make_shared<const ControlSnapshot>();
};

}  // namespace pgweir::control
