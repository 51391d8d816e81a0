// Simulation: one whole run of the production Login and Relays between simulated clients and
// simulated PostgreSQL servers. Relays stop wherever they touch what they share, while others go on
// (turns.h). After every event, and there, it checks what must always hold; at the end, with
// the faults taken away, that everybody was answered, every server is clean and every permit has
// returned.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "auth/salted_password_cache.h"
#include "base/entropy.h"
#include "obs/log.h"
#include "obs/metrics.h"
#include "pool/exchange.h"
#include "proxy/login.h"
#include "proxy/relay.h"
#include "sim/arrivals.h"
#include "sim/client.h"
#include "sim/postgres.h"
#include "sim/scenario.h"
#include "sim/sim_io.h"

namespace pgweir::sim {

// How long until the last end of a server has been seen, once nothing goes wrong.
inline constexpr base::Duration kSettling = std::chrono::seconds(15);

// What happened, for the tests of the simulation itself.
struct Outcome {
  std::uint64_t event_count = 0;
  std::uint64_t stop_count = 0;      // Of reactors, in the middle of an event.
  std::uint64_t answered_count = 0;  // Units of clients' programs that ended.
  std::vector<std::uint64_t> answered_by_client = {};
  base::Duration worst_overtaking{};  // In a crowd: how much later came one who was served first.
};

class Simulation final : private Surroundings, private Door, private obs::Sink {
 public:
  Simulation(std::uint64_t seed, Scenario scenario, bool is_verbose);
  ~Simulation() override;

  // Does not return if something fails (sim::fail, ASSERT).
  Outcome run();

 private:
  struct Dice final : base::Entropy {
    explicit Dice(World& with) : world(with) {}
    void fill(std::span<std::byte> out) override {
      for (std::byte& b : out) b = std::byte(world.rng().below(256));
    }
    World& world;
  };

  // Surroundings.
  bool connect(const base::Endpoint& endpoint, const std::shared_ptr<Link>& link) override;
  void post(base::Mailbox to, std::shared_ptr<Link> link,
            std::unique_ptr<base::Parcel> parcel) override;
  // Door.
  World& world() override { return world_; }
  void enter(const std::shared_ptr<Link>& link) override;
  std::uint32_t next_number() override { return ++last_number_; }
  auth::SaltedPasswordCache& passwords() override { return passwords_; }
  std::optional<base::Instant> cuts_at() const override { return cuts_at_; }
  std::optional<base::Instant> removed_at(const std::string& database) const override;
  bool was_removed(const std::string& database) const override;
  bool was_executed(Mark mark) const override { return ledger_.was_executed(mark); }
  void note_last_words(Mark mark) override { last_words_.push_back(mark); }
  void note_asked(const Client& client) override;
  // obs::Sink.
  void write(obs::Level level, std::string_view line) override;

  void add_node_levels();
  void make_relays();
  static void yield();
  void start_clients();
  void lose_on_the_way(const base::Parcel& parcel);
  void disturb_every_second();
  void mutter_now_and_then();
  void run_until(base::Instant end);
  void finish();
  void finish_draining();
  void await_clients();

  // simulation_control.cc
  void handle_control_parcel(std::unique_ptr<base::Parcel> parcel);
  void look_for_lost(const proxy::ServerLost& lost);
  void ask_every_second();
  void take_answer(const proxy::ErrandDone& done);
  void move_limit();
  void find_limits_soon();
  void tell_limit(const std::string& node, std::uint32_t limit);
  void reload();
  void drain(bool is_now);
  void take_drained(const proxy::Drained& drained);
  base::Instant& arrival_at(base::Mailbox to);
  proxy::RelayCounts relay_counts() const;
  std::size_t relay_connection_count() const;
  // Sends each of the Relays, and Login, what `make` makes for it.
  template <class Make>
  void tell_all(Make make) {
    post(base::Mailbox::Login, nullptr, make());
    tell_relays(make);
  }
  template <class Make>
  void tell_relays(Make make) {
    for (std::uint32_t i = 0; i < reactors_.size(); ++i) {
      post(base::Mailbox::relay(i), nullptr, make());
    }
  }

  // simulation_waiting.cc
  void expect_order();
  void watch_waiting();
  void check_waiting() const;
  bool has_room(const Client& client, base::Instant since) const;
  void note_room();

  // simulation_checks.cc
  void check_step();
  void check_limits() const;
  void check_shares() const;
  void check_last_words() const;
  void check_lowered_limit();
  bool has_prompt_ends() const;
  void check_epilogue();
  std::string find_wrong_permits(bool are_all_back) const;
  std::string counted_as(const std::string& level_name) const;
  void name_levels();
  std::uint32_t taken_of(const std::string& counted) const;
  std::string find_unsettled() const;
  std::string find_useless() const;
  std::string find_wrong_limits() const;
  std::string find_undrained() const;
  std::size_t backends_of(const Postgres& node, std::string_view counted) const;
  bool is_everybody_done() const;
  bool is_anybody_busy() const;

  static inline Simulation* running = nullptr;  // Whose reactors yield.
  const std::uint64_t seed_;
  const Scenario scenario_;
  const bool has_errands_;  // They are in front of everybody: not in all seeds.
  World world_;
  Ledger ledger_;
  auth::SaltedPasswordCache passwords_;
  Dice entropy_{world_};
  obs::Log log_;
  obs::Metrics metrics_;
  proxy::SharedCounts counts_;
  pool::Exchange exchange_;
  proxy::Placement placement_;
  std::shared_ptr<const proxy::Options> options_;
  std::vector<std::unique_ptr<Postgres>> nodes_;
  SimIo login_io_;
  proxy::Login login_;
  // A data reactor: the Relay, and what it calls the world.
  struct Reactor {
    std::unique_ptr<SimIo> io;
    std::unique_ptr<proxy::Relay> relay;
  };
  std::vector<Reactor> reactors_;
  std::vector<std::shared_ptr<Client>> clients_;
  // When the last parcel arrives: at Login, the control thread, and each Relay.
  std::vector<base::Instant> mail_arrives_at_;
  std::uint32_t last_number_ = 0;
  std::vector<Mark> last_words_;
  std::vector<std::string> counted_as_;               // By level.
  std::vector<base::Instant> room_since_;             // By level; kNever: it is full.
  std::optional<Arrivals> arrivals_;                  // Of a crowd.
  base::Instant lingers_since_ = base::kNever;        // Too many servers, and some that nobody has.
  std::uint64_t limits_version_ = 0;                  // Of those that Relays were told last.
  std::map<std::string, base::Instant> removed_at_;   // Databases; kNever: it is back.
  std::map<proxy::ErrandId, base::Instant> errands_;  // Not answered yet; when they have to be.
  std::uint64_t last_errand_ = 0;
  bool is_epilogue_ = false;
  std::optional<base::Instant> cuts_at_;
  std::size_t drained_count_ = 0;  // Relays.
  bool has_drained_ = false;
  std::uint64_t event_count_ = 0;
  std::uint64_t stop_count_ = 0;
  std::size_t backend_count_ = 0;
};

// Runs what the seed says.
Outcome simulate(std::uint64_t seed, bool is_verbose = false);

}  // namespace pgweir::sim
