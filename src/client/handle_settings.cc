#include "client/handle_settings.h"

namespace pgweir::client {

void set_up_handle(PGconn* handle) {
  PQuntrace(handle);
  PQsetnonblocking(handle, 1);
  PQsetErrorVerbosity(handle, PQERRORS_DEFAULT);
  PQsetErrorContextVisibility(handle, PQSHOW_CONTEXT_ERRORS);
  // The receiver calls no processor, but a processor's argument may be gone.
  PQsetNoticeReceiver(
      handle, [](void*, const PGresult*) {}, nullptr);
  PQsetNoticeProcessor(
      handle, [](void*, const char*) {}, nullptr);
}

}  // namespace pgweir::client
