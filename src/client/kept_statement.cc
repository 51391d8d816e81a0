#include "client/kept_statement.h"

#include <cstddef>
#include <optional>

namespace pgweir::client {

KeptStatement::KeptStatement(const Statement& borrowed)
    : text_(borrowed.text),
      types_(borrowed.types.begin(), borrowed.types.end()),
      lengths_(borrowed.lengths.begin(), borrowed.lengths.end()),
      formats_(borrowed.formats.begin(), borrowed.formats.end()),
      statement_(borrowed) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < borrowed.values.size(); ++i) {
    places.push_back(bytes_.size());
    if (borrowed.values[i] == nullptr) continue;
    bytes_.append(borrowed.values[i], static_cast<std::size_t>(borrowed.lengths[i]));
    bytes_ += '\0';
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    values_.push_back(borrowed.values[i] == nullptr ? nullptr : bytes_.data() + places[i]);
  }
  statement_.text = text_.c_str();
  statement_.types = types_;
  statement_.values = values_;
  statement_.lengths = lengths_;
  statement_.formats = formats_;
}

}  // namespace pgweir::client
