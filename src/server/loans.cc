#include "server/loans.h"

#include <utility>

#include "base/assert.h"

namespace pgweir::server {
namespace {

control::Loan loan_of(const proxy::ErrandDone& done) {
  if (done.failure)
    return insight::explain_server_failure(done.failure->sqlstate, done.failure->message);
  if (done.is_crowded_out) return control::CrowdedOut{};
  return control::Found{done.rows, static_cast<int>(done.pid)};
}

}  // namespace

class Loans::Pools final : public control::Borrow {
 public:
  Pools(Loans& loans, std::string database, std::string user)
      : loans_(loans), database_(std::move(database)), user_(std::move(user)) {}

  void query(const control::Statement& statement, Answered answered) override {
    auto errand = std::make_unique<proxy::RunErrand>();
    errand->id = proxy::ErrandId{++loans_.last_id_};
    errand->database = database_;
    errand->user = user_;
    errand->sql = inline_parameters(statement);
    errand->time_max = statement.time_max;
    loans_.awaited_.emplace(errand->id, std::move(answered));
    loans_.send_(std::move(errand));
  }

 private:
  Loans& loans_;
  const std::string database_;
  const std::string user_;
};

std::unique_ptr<control::Borrow> Loans::of(std::string database, std::string user) {
  return std::make_unique<Pools>(*this, std::move(database), std::move(user));
}

void Loans::handle(const proxy::ErrandDone& done) {
  auto awaited = awaited_.extract(done.id);
  ASSERT(!awaited.empty());
  awaited.mapped()(loan_of(done));
}

std::string inline_parameters(const control::Statement& statement) {
  std::string text;
  for (std::size_t i = 0; i < statement.text.size(); ++i) {
    if (statement.text[i] != '$') {
      text += statement.text[i];
      continue;
    }
    const auto number = static_cast<std::size_t>(statement.text.at(++i) - '0');
    ASSERT(number >= 1 && number <= statement.parameters.size());
    const std::string& parameter = statement.parameters[number - 1];
    ASSERT(parameter.find_first_of("'\\") == std::string::npos);
    text += "'" + parameter + "'";
  }
  return text;
}

}  // namespace pgweir::server
