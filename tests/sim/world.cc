#include "sim/world.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace pgweir::sim {

World::World(std::uint64_t seed, bool is_verbose) : rng_(seed), is_verbose_(is_verbose) {}

bool World::is_later(const Event& a, const Event& b) {
  return a.when != b.when ? a.when > b.when : a.sequence > b.sequence;
}

void World::at(base::Instant when, Action action) {
  events_.push_back({std::max(when, now_), ++sequence_, std::move(action)});
  std::push_heap(events_.begin(), events_.end(), is_later);
}

bool World::step(base::Instant until) {
  if (events_.empty() || events_.front().when > until) {
    now_ = std::max(now_, until);
    return false;
  }
  std::pop_heap(events_.begin(), events_.end(), is_later);
  const Event next = std::move(events_.back());
  events_.pop_back();
  now_ = next.when;
  next.action();
  return true;
}

base::Duration World::between(base::Duration from, base::Duration to) {
  const auto width = static_cast<std::uint64_t>((to - from).count()) + 1;
  return from + base::Duration(static_cast<base::Duration::rep>(rng_.below(width)));
}

std::size_t World::between(std::size_t from, std::size_t to) {
  return from + static_cast<std::size_t>(rng_.below(to - from + 1));
}

void World::say(const std::string& line) const {
  if (!is_verbose_) return;
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(now_.time_since_epoch()).count() -
      3'600'000'000;
  std::fprintf(stderr, "%12.6f %s\n", static_cast<double>(micros) / 1e6, line.c_str());
}

std::string readable(base::Bytes bytes) {
  std::string text;
  for (const char c : base::as_text(bytes.first(std::min<std::size_t>(bytes.size(), 300)))) {
    text += c >= ' ' && c <= '~' ? c : '.';
  }
  return text;
}

void fail(const std::string& what) {
  std::fprintf(stderr, "simulation: %s\n", what.c_str());
  std::abort();
}

}  // namespace pgweir::sim
