// SpelledStatement: a call of the user's as libpq takes it: arrays beside each other. On the stack;
// more than a few parameters cost an allocation. Everything is borrowed.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "client/conversation.h"
#include "pgweir/error.hpp"
#include "pgweir/parameters.hpp"
#include "pgweir/sql.hpp"

namespace pgweir::client {

class SpelledStatement {
 public:
  SpelledStatement(const sql& call, const parameter_view& parameters);
  SpelledStatement(const SpelledStatement&) = delete;
  SpelledStatement& operator=(const SpelledStatement&) = delete;

  // Why it cannot be sent, if so.
  std::optional<error_info> mistake() const;
  // REQUIRES: mistake() is nothing. Valid as long as this.
  Statement statement() const;

 private:
  static constexpr std::size_t kFew = 16;
  template <class T>
  class Values {
   public:
    explicit Values(std::size_t count) : count_(count) {
      if (count > kFew) many_.resize(count);
    }
    T& operator[](std::size_t i) { return (count_ > kFew ? many_.data() : few_.data())[i]; }
    std::span<const T> view() const { return {count_ > kFew ? many_.data() : few_.data(), count_}; }

   private:
    const std::size_t count_;
    std::array<T, kFew> few_;
    std::vector<T> many_;
  };

  const sql& call_;
  Values<Oid> types_;
  Values<const char*> values_;
  Values<int> lengths_;
  Values<int> formats_;
  std::size_t refused_ = 0;  // The number of the parameter, from 1.
  const char* why_ = nullptr;
};

}  // namespace pgweir::client
