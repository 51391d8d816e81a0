#include "proxy/welcome.h"

#include "proxy/cancels.h"
#include "proxy/effects.h"
#include "proxy/events.h"
#include "proxy/sending.h"
#include "wire/own_parameter.h"
#include "wire/reply.h"

namespace pgweir::proxy {

void welcome(RelayState& state, Client& client, base::Bytes verdict) {
  Route& route = *client.route;
  client.needs_welcome = false;
  state.effects->pin_if_bound(client);
  client.cancel_secret = state.world.entropy.u32();
  state.message.assign(verdict.begin(), verdict.end());
  wire::encode_parameter_status(state.message, wire::kOwnParameter, PGWEIR_VERSION);
  for (const auto& [name, value] : route.reported) {
    if (name == wire::kOwnParameter) continue;  // Of another one behind this.
    const session::ParameterValue* own = state.parameters.find_spelled(client.parameters, name);
    const std::string_view shown = own == nullptr || own->is_source
                                       ? std::string_view(value)
                                       : route.canonical.spell(name, own->text);
    wire::encode_parameter_status(state.message, name, shown);
  }
  wire::encode_backend_key_data(state.message, state.cancels->key_of(client));
  wire::encode_ready_for_query(state.message, 'I');
  send_to_client(state, client, state.message);
  state.world.log.event(
      kClientLoggedIn,
      {obs::kv("database", route.database), obs::kv("user", route.user),
       obs::kv("client", client.peer), obs::kv("application", client.application_name)});
}

}  // namespace pgweir::proxy
