// Event loop: whether this thread runs one, so that a call that blocks it can be reported.
#pragma once

namespace pgweir::client {

void enter_event_loop();
// REQUIRES: as often as it was entered.
void leave_event_loop();
bool is_in_event_loop();

}  // namespace pgweir::client
