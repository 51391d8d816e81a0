#include "session/pin_reason.h"

namespace pgweir::session {

namespace {

// What it takes to end a reason. Ordered: the later, the harder.
enum class End : std::uint8_t {
  OwnStatement,
  DiscardAll,
  DiscardAllAndClose,  // The client's tie ends; what else is on the server nobody knows.
  Disconnect
};

End end_of(PinReason reason) {
  switch (reason) {
    case PinReason::SetRole:
    case PinReason::SessionAuthorization:
    case PinReason::Listen:
    case PinReason::TemporaryObject:
    case PinReason::HoldCursor:
    case PinReason::SqlPrepare:
    case PinReason::AdvisoryLock:
    case PinReason::SetConfig:
    case PinReason::SequenceValue: return End::OwnStatement;
    case PinReason::TemporarySchema: return End::DiscardAll;
    case PinReason::AnonymousBlock:
    case PinReason::NotUnderstood: return End::DiscardAllAndClose;
    case PinReason::RandomSeed:
    case PinReason::Load:
    case PinReason::RemoteConnection:
    case PinReason::SessionBoundFunction: return End::Disconnect;
  }
  return End::Disconnect;
}

}  // namespace

std::string_view to_text(PinReason reason) {
  switch (reason) {
    case PinReason::SetRole: return "set_role";
    case PinReason::SessionAuthorization: return "session_authorization";
    case PinReason::Listen: return "listen";
    case PinReason::TemporaryObject: return "temporary_object";
    case PinReason::HoldCursor: return "hold_cursor";
    case PinReason::SqlPrepare: return "sql_prepare";
    case PinReason::AdvisoryLock: return "advisory_lock";
    case PinReason::SetConfig: return "set_config";
    case PinReason::TemporarySchema: return "temporary_schema";
    case PinReason::AnonymousBlock: return "anonymous_block";
    case PinReason::NotUnderstood: return "not_understood";
    case PinReason::RandomSeed: return "random_seed";
    case PinReason::Load: return "load";
    case PinReason::RemoteConnection: return "remote_connection";
    case PinReason::SessionBoundFunction: return "session_bound_function";
    case PinReason::SequenceValue: return "sequence_value";
  }
  return "unknown";
}

bool survives_discard_all(PinReason reason) { return end_of(reason) == End::Disconnect; }

bool needs_close(PinReason reason) { return end_of(reason) >= End::DiscardAllAndClose; }

std::string_view sign_of(PinReason reason) {
  switch (reason) {
    // Without a default of the login's own, which might be another than NONE.
    case PinReason::SetRole:
      return "pg_catalog.current_setting('role') OPERATOR(pg_catalog.<>) 'none' OR EXISTS (SELECT "
             "FROM pg_catalog.pg_db_role_setting, pg_catalog.unnest(setconfig) AS setting "
             "WHERE setting OPERATOR(pg_catalog.~~) 'role=%')";
    case PinReason::Listen: return "EXISTS (SELECT FROM pg_catalog.pg_listening_channels())";
    // All that a schema holds depends on it.
    case PinReason::TemporaryObject:
      return "EXISTS (SELECT FROM pg_catalog.pg_depend WHERE refclassid OPERATOR(pg_catalog.=) "
             "'pg_catalog.pg_namespace'::pg_catalog.regclass AND refobjid "
             "OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())";
    case PinReason::HoldCursor:
      return "EXISTS (SELECT FROM pg_catalog.pg_cursors WHERE is_holdable)";
    // Also of the protocol, where pgweir keeps no names; its own are statement_table.h's.
    case PinReason::SqlPrepare:
      return "EXISTS (SELECT FROM pg_catalog.pg_prepared_statements WHERE from_sql OR "
             "pg_catalog.\"left\"(name, 7) OPERATOR(pg_catalog.<>) 'pgweir_')";
    case PinReason::AdvisoryLock:
      return "EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype OPERATOR(pg_catalog.=) "
             "'advisory' AND pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid())";
    case PinReason::SessionAuthorization:
    case PinReason::SetConfig:
    case PinReason::TemporarySchema:
    case PinReason::AnonymousBlock:
    case PinReason::NotUnderstood:
    case PinReason::RandomSeed:
    case PinReason::Load:
    case PinReason::RemoteConnection:
    case PinReason::SessionBoundFunction:
    case PinReason::SequenceValue: return {};
  }
  return {};
}

PinReason combine(PinReason a, PinReason b) {
  if (a == b) return a;
  // Two that end by different statements end by neither.
  if (end_of(a) == End::OwnStatement && end_of(b) == End::OwnStatement) {
    return PinReason::NotUnderstood;
  }
  return end_of(a) >= end_of(b) ? a : b;
}

}  // namespace pgweir::session
