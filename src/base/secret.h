// Secret: a password, key or token. It has no formatter, no stream operator and no comparison that
// stops early, so that nothing prints it by accident; its memory is wiped when it goes.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace pgweir::base {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : text_(text) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&& other) noexcept {
    wipe();
    text_ = std::move(other.text_);
    other.wipe();
    return *this;
  }
  ~Secret() { wipe(); }

  bool empty() const { return text_.empty(); }
  // The plain text, for the one place that needs it. Never log it.
  std::string_view reveal() const { return text_; }
  // Takes the same time whatever the contents; only the lengths show.
  bool is_equal(std::string_view other) const;
  friend bool operator==(const Secret& a, const Secret& b) { return a.is_equal(b.text_); }

 private:
  void wipe();
  std::string text_;
};

}  // namespace pgweir::base
