// The first packet of a connection: what anybody can send before we know who it is.
#include "base/assert.h"
#include "fuzz_target.h"
#include "wire/startup.h"

namespace pgweir::fuzz {
namespace {

void check_startup(const wire::StartupMessage& message) {
  base::ByteBuffer out;
  wire::encode_startup(out, message.protocol, message.parameters);
  base::Bytes again = out;
  const auto packet = wire::take_first_packet(again);
  ASSERT(packet.has_value() && packet->has_value());
  ASSERT(std::get<wire::StartupMessage>(**packet).parameters == message.parameters);
}

void fuzz_first_packet(base::Bytes input) {
  const std::size_t size_before = input.size();
  const auto packet = wire::take_first_packet(input);
  if (!packet.has_value()) return;
  ASSERT(packet->has_value() == (input.size() < size_before));
  if (!packet->has_value()) return;
  if (const auto* message = std::get_if<wire::StartupMessage>(&**packet)) check_startup(*message);
}

const Registration kRegistered("first_packet", fuzz_first_packet);

}  // namespace
}  // namespace pgweir::fuzz
