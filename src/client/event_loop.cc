#include "client/event_loop.h"

namespace pgweir::client {
namespace {

thread_local unsigned depth = 0;

}  // namespace

void enter_event_loop() { ++depth; }

void leave_event_loop() { --depth; }

bool is_in_event_loop() { return depth > 0; }

}  // namespace pgweir::client
