#include "control/dial.h"

#include <algorithm>
#include <utility>

#include "config/connection_parameters.h"

namespace pgweir::control {

Dial::Dial(loop::Loop& loop, Resolver& resolver, const proxy::DatabaseOptions& database,
           std::string application_name, Done done)
    : loop_(loop),
      database_(database),
      application_name_(std::move(application_name)),
      done_(std::move(done)),
      addresses_(database.hosts.size()),
      unresolved_(database.hosts.size()) {
  for (std::size_t i = 0; i < database_.hosts.size(); ++i) {
    const proxy::ServerAddress& server = database_.hosts[i];
    resolver.resolve(server.address.empty() ? server.host : server.address,
                     [this, i, alive = std::weak_ptr(alive_)](const auto& answer) {
                       if (!alive.expired()) handle_resolved(i, answer);
                     });
  }
}

Dial::~Dial() { loop_.cancel(timer_); }

void Dial::handle_resolved(std::size_t host, const base::Result<Resolver::Addresses>& answer) {
  if (answer.has_value())
    addresses_[host] = *answer;
  else
    resolve_error_ = answer.error();
  // Answers that are known come from inside the constructor; the caller is told later all the same.
  if (--unresolved_ == 0) timer_ = loop_.call_at(loop_.now(), [this] { connect(); });
}

void Dial::connect() {
  timer_ = loop::TimerId::None;
  const bool has_address = std::any_of(addresses_.begin(), addresses_.end(),
                                       [](const auto& some) { return !some.empty(); });
  if (!has_address && resolve_error_) return finish(insight::make_failure(*resolve_error_));
  auto parameters = config::make_connection_parameters(database_, application_name_, addresses_);
  if (!parameters.has_value()) return finish(insight::make_failure(parameters.error()));
  connection_ = std::make_unique<PostgresConnection>(loop_);
  connection_->connect(
      std::move(parameters).value(),
      [this](std::optional<insight::Failure> failure) { finish(std::move(failure)); });
}

void Dial::finish(std::optional<insight::Failure> failure) {
  const Done done = std::exchange(done_, nullptr);
  done(std::move(connection_), std::move(failure));
}

}  // namespace pgweir::control
