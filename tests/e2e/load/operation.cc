#include "operation.h"

namespace pgweir::load {
namespace {

constexpr int kCopyInRows = 20;

std::string token_of(const Progress& progress) {
  return std::to_string(progress.client) + "." + std::to_string(progress.turn);
}

std::string select_token(const Progress& progress) {
  return "select '" + token_of(progress) + "', repeat('x', 100)";
}

std::optional<std::string> simple_step(const Progress& progress) {
  if (progress.step > 0) return std::nullopt;
  return select_token(progress);
}

std::optional<std::string> transaction_step(const Progress& progress) {
  switch (progress.step) {
    case 0: return "begin";
    case 1:
      return "update load_counters set n = n + 1 where id = " + std::to_string(progress.client);
    case 2: return select_token(progress);
    case 3: return "commit";
    default: return std::nullopt;
  }
}

std::optional<std::string> copy_step(const Progress& progress) {
  switch (progress.step) {
    case 0: return "copy load_sink from stdin";
    case 1:
      return "copy (select '" + token_of(progress) +
             "', repeat('y', 100) from generate_series(1, " + std::to_string(kCopyOutRows) +
             ")) to stdout";
    default: return std::nullopt;
  }
}

std::optional<std::string> text_of(const Progress& progress) {
  switch (progress.kind) {
    case Kind::Simple:
    case Kind::Connect: return simple_step(progress);
    case Kind::Transaction: return transaction_step(progress);
    case Kind::Copy: return copy_step(progress);
    case Kind::Prepared: break;
  }
  return std::nullopt;
}

Sent send_prepared_step(PGconn* connection, const Progress& progress) {
  if (progress.step > 1) return Sent::NothingLeft;
  if (progress.step == 0) {
    const char* text = "select $1::text, repeat('z', 100)";
    return PQsendPrepare(connection, "load", text, 0, nullptr) == 1 ? Sent::Yes : Sent::Failed;
  }
  const std::string token = token_of(progress);
  const char* value = token.c_str();
  return PQsendQueryPrepared(connection, "load", 1, &value, nullptr, nullptr, 0) == 1
             ? Sent::Yes
             : Sent::Failed;
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::Simple: return "simple";
    case Kind::Prepared: return "prepared";
    case Kind::Transaction: return "transaction";
    case Kind::Copy: return "copy";
    case Kind::Connect: return "connect";
  }
  return "";
}

Sent send_step(PGconn* connection, const Progress& progress) {
  if (progress.kind == Kind::Prepared) return send_prepared_step(connection, progress);
  const std::optional<std::string> text = text_of(progress);
  if (!text) return Sent::NothingLeft;
  return PQsendQuery(connection, text->c_str()) == 1 ? Sent::Yes : Sent::Failed;
}

std::optional<std::string> expected_token(const Progress& progress) {
  switch (progress.kind) {
    case Kind::Simple:
    case Kind::Connect: return token_of(progress);
    case Kind::Prepared:
      if (progress.step == 1) return token_of(progress);
      break;
    case Kind::Transaction:
      if (progress.step == 2) return token_of(progress);
      break;
    case Kind::Copy:
      if (progress.step == 1) return token_of(progress);
      break;
  }
  return std::nullopt;
}

std::string copy_rows(const Progress& progress) {
  std::string rows;
  for (int row = 0; row < kCopyInRows; ++row) {
    rows += token_of(progress) + "\t" + std::to_string(row) + "\n";
  }
  return rows;
}

}  // namespace pgweir::load
