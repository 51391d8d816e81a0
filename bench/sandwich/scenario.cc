#include "scenario.h"

#include "sandwich.h"

namespace pgweir::bench {

void Scenario::handle_lost(std::size_t client, std::string_view why, base::Instant) {
  sandwich_.fail("client " + std::to_string(client) + " was turned away: " + std::string(why));
}

}  // namespace pgweir::bench
