#include "scenarios/crowd.h"

#include <sched.h>

#include "net/clock.h"
#include "net/reactor.h"
#include "sandwich.h"

namespace pgweir::bench {

namespace {

// Between two looks at what is to be answered.
constexpr std::size_t kConnectsAtATime = 16;
constexpr base::Duration kLookAgain = std::chrono::milliseconds(5);

}  // namespace

class Crowd::Arrivals final : public Scenario {
 public:
  Arrivals(Crowd& crowd, Sandwich& sandwich) : Scenario(crowd.plan_, sandwich), crowd_(crowd) {}

  void begin(base::Instant now) override {
    connect_some(now);
    leave_when_told(now);
  }

  void handle_logged_in(std::size_t, base::Instant now) override {
    ++crowd_.let_in_;
    settle_if_all(now);
  }

  void handle_answered(std::size_t, base::Instant) override {}

  void handle_lost(std::size_t, std::string_view, base::Instant now) override {
    if (crowd_.has_settled()) return;
    ++crowd_.turned_away_;
    settle_if_all(now);
  }

  Figures result() const override { return {}; }

 private:
  void connect_some(base::Instant now) {
    for (std::size_t i = 0; i < kConnectsAtATime && set_out_ < plan_.client_count; ++i) {
      ++set_out_;
      sandwich_.connect(sandwich_.add_client(plan_.workload));
    }
    if (set_out_ == plan_.client_count) return;
    sandwich_.do_at(now, [this](base::Instant later) { connect_some(later); });
  }

  void settle_if_all(base::Instant now) {
    if (crowd_.let_in_ + crowd_.turned_away_ < plan_.client_count) return;
    crowd_.settled_at_ = now;
    crowd_.stage_ = Stage::Settled;
  }

  void leave_when_told(base::Instant now) {
    if (!crowd_.may_stay_) return sandwich_.dismiss(now);
    sandwich_.do_at(now + kLookAgain, [this](base::Instant later) { leave_when_told(later); });
  }

  Crowd& crowd_;
  std::size_t set_out_ = 0;
};

Crowd::~Crowd() {
  send_home();
  if (thread_.joinable()) thread_.join();
}

void Crowd::set_out() {
  thread_ = std::thread([this] { play(); });
}

void Crowd::play() {
  const sched_param lowest{};
  ::sched_setscheduler(0, SCHED_IDLE, &lowest);  // Of this thread, whatever its name says.
  net::ReactorOptions options;
  options.name = "crowd";
  if (auto reactor = net::Reactor::create(options)) {
    Sandwich sandwich(**reactor, plan_);
    Arrivals arrivals(*this, sandwich);
    (*reactor)->attach(sandwich);
    sandwich.begin(arrivals, net::monotonic_now());
    while (!sandwich.is_over()) (*reactor)->turn();
    (*reactor)->stop();
    (*reactor)->run();  // Until what was closed has ended.
    mistake_ = sandwich.mistake();
  } else {
    mistake_ = "no descriptor is left for a second reactor";
  }
  stage_ = Stage::Gone;
}

}  // namespace pgweir::bench
