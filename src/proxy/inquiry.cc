#include "proxy/inquiry.h"

#include <algorithm>

#include "proxy/effects.h"
#include "proxy/sending.h"
#include "session/ascii_case.h"

namespace pgweir::proxy {

namespace {

// Then NONE is not what a session of this plan begins with, and the server would not tell.
bool brings_role(const DatabaseOptions& database) {
  const auto& parameters = database.startup_parameters;
  return !database.connect_query.empty() ||
         std::any_of(parameters.begin(), parameters.end(), [](const auto& parameter) {
           std::string text = session::folded(parameter.second);
           std::erase(text, '\\');
           return text.find("role") != std::string::npos;
         });
}

}  // namespace

void Inquiry::consider(Client& client, Server& server, base::Instant now) {
  if (client.session == nullptr || !client.session->pins.is_in_doubt()) return;
  if (server.cycle.is_doubtful() || server.has_said_goodbye) return;
  session::PinSet& pins = client.session->pins;
  if (pins.contains(session::PinReason::SetRole) && brings_role(client.route->plan->database)) {
    return;
  }
  // Its own names may look like pgweir's.
  const bool has_names = client.session->keeps_own_names.value_or(false);
  if (pins.contains(session::PinReason::SqlPrepare) && has_names) return;
  server.is_inquired = true;
  server.busy_since = now;
  ask_server(state_, server, pins.take_question(), now);
}

void Inquiry::take_answer(Client& client, std::string_view command_tag) {
  if (command_tag == "SELECT 1") client.session->pins.settle_doubt();
}

void Inquiry::conclude(Server& server) {
  server.is_inquired = false;
  server.own_failure.reset();
  if (server.client != nullptr) state_.effects->pin_if_bound(*server.client);
}

}  // namespace pgweir::proxy
