#include "scenario.h"

#include "sandwich.h"

namespace pgweir::bench {

void Scenario::handle_lost(std::size_t client, std::string_view why, base::Instant) {
  sandwich_.fail("client " + std::to_string(client) + " was turned away: " + std::string(why));
}

void Scenario::measure(Watch& watch, base::Instant now) {
  sandwich_.do_at(now + plan_.warm_up, [this, &watch](base::Instant then) {
    watch.begin(then);
    sandwich_.do_at(then + plan_.measured, [this, &watch](base::Instant end) {
      watch.end(end);
      sandwich_.dismiss(end);
    });
  });
}

}  // namespace pgweir::bench
