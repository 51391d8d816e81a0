// Who hosts the pools, as a test plays it: one permit, and a pool that says what it is told to.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "control/borrow.h"

namespace pgweir::control {

class OnePermit : public PermitSource {
 public:
  bool try_take() override { return std::exchange(is_free, false); }
  void give_back() override {
    EXPECT_FALSE(is_free) << "given back twice";
    is_free = true;
  }
  bool is_free = true;
};

class ScriptedPool : public Borrow {
 public:
  void query(const Statement& statement, std::function<void(const Loan&)> answered) override {
    EXPECT_EQ(answered_, nullptr) << "asked while another question is out";
    text_ = statement.text;
    answered_ = std::move(answered);
  }
  bool is_asked() const { return answered_ != nullptr; }
  bool is_asked_about(std::string_view part) const {
    return is_asked() && text_.find(part) != std::string::npos;
  }
  void say(const Loan& loan) { std::exchange(answered_, nullptr)(loan); }

 private:
  std::string text_;
  std::function<void(const Loan&)> answered_;
};

}  // namespace pgweir::control
