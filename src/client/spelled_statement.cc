#include "client/spelled_statement.h"

#include <fmt/format.h>

#include <cstring>
#include <limits>

namespace pgweir::client {

SpelledStatement::SpelledStatement(const sql& call, const parameter_view& parameters)
    : call_(call),
      types_(parameters.count),
      values_(parameters.count),
      lengths_(parameters.count),
      formats_(parameters.count) {
  for (std::size_t i = 0; i < parameters.count; ++i) {
    const encoded_value& value = parameters.values[i];
    const bool is_too_long = value.length() > std::numeric_limits<int>::max();
    if (why_ == nullptr && (value.refused() != nullptr || is_too_long)) {
      refused_ = i + 1;
      why_ = is_too_long ? "is larger than PostgreSQL takes" : value.refused();
    }
    types_[i] = static_cast<Oid>(value.type());
    values_[i] = value.data();
    lengths_[i] = static_cast<int>(value.length());
    formats_[i] = value.is_binary() ? 1 : 0;
  }
}

std::optional<error_info> SpelledStatement::mistake() const {
  error_info info{.kind = error_kind::value, .text = {}, .where = call_.where()};
  if (why_ != nullptr) {
    info.text = fmt::format("parameter ${} {}", refused_, why_);
  } else if (call_.length() && std::strlen(call_.text()) != *call_.length()) {
    info.text = "the statement has a NUL inside";
  } else {
    return std::nullopt;
  }
  info.text += fmt::format(" ({}:{})", call_.where().file, call_.where().line);
  return info;
}

Statement SpelledStatement::statement() const {
  return {.text = call_.text(),
          .types = types_.view(),
          .values = values_.view(),
          .lengths = lengths_.view(),
          .formats = formats_.view(),
          .result_format = call_.is_binary() ? 1 : 0};
}

}  // namespace pgweir::client
