#include "proxy/seating.h"

#include <algorithm>

namespace pgweir::proxy {

std::optional<Seat> Seating::take(const std::string& name, std::uint32_t limit) {
  if (taken_.size() >= forget_at_) forget_empty();
  auto& tally = taken_[name];
  if (tally == nullptr) tally = std::make_shared<Seat::Tally>(0);
  // Only this thread takes; others give back, so that the count may be too high and never too low.
  if (tally->load(std::memory_order_relaxed) >= limit) return std::nullopt;
  return Seat(tally);
}

// With auth_type = any the names are whatever strangers say.
void Seating::forget_empty() {
  std::erase_if(taken_, [](const auto& one) { return one.second->load() == 0; });
  forget_at_ = std::max<std::size_t>(64, 2 * taken_.size());
}

}  // namespace pgweir::proxy
