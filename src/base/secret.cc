#include "base/secret.h"

#include <cstring>

namespace pgweir::base {

bool Secret::is_equal(std::string_view other) const {
  if (text_.size() != other.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < other.size(); ++i) {
    difference |= static_cast<unsigned char>(text_[i] ^ other[i]);
  }
  return difference == 0;
}

void Secret::wipe() {
  // A plain memset of memory that is about to be freed may be optimised away.
  explicit_bzero(text_.data(), text_.size());
  text_.clear();
}

}  // namespace pgweir::base
