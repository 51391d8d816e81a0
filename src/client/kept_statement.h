// KeptStatement: a copy of a Statement with all that it borrows.
#pragma once

#include <string>
#include <vector>

#include "client/conversation.h"

namespace pgweir::client {

class KeptStatement {
 public:
  explicit KeptStatement(const Statement& borrowed);
  KeptStatement(const KeptStatement&) = delete;
  KeptStatement& operator=(const KeptStatement&) = delete;

  // Valid as long as this.
  const Statement& statement() const { return statement_; }

 private:
  std::string text_;
  std::vector<Oid> types_;
  std::string bytes_;  // Of all values, each with a NUL behind it.
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
  Statement statement_;
};

}  // namespace pgweir::client
