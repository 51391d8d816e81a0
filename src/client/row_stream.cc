#include "client/row_stream.h"

#include <utility>

namespace pgweir {
namespace client {

RowSource::~RowSource() {
  if (is_open_) run_.abandon();
}

std::optional<error_info> RowSource::begin(std::vector<Statement> statements) {
  own_ = statements.size() - 1;
  statements.back().comes_by_row = true;
  auto failed = run_.begin(statements);
  is_open_ = !failed;
  return failed;
}

result<const PGresult*> RowSource::next() {
  row_.reset();
  while (is_open_) {
    auto heard = run_.next();
    // After an error nothing is under way any more.
    is_open_ = heard.has_value() && *heard != nullptr;
    if (!heard) return std::move(heard).error();
    if (*heard == nullptr || PQresultStatus(heard->get()) != PGRES_SINGLE_TUPLE) continue;
    if (run_.index() != own_) continue;
    row_ = std::move(*heard);
    break;
  }
  return row_.get();
}

result<row_stream> open_stream(Database& database, Server& server,
                               std::span<const Statement> statements, const sql& call) {
  auto source = std::make_unique<RowSource>(database, server, call);
  if (auto failed = source->begin({statements.begin(), statements.end()})) {
    return std::move(*failed);
  }
  return RowSource::stream_of(std::move(source));
}

}  // namespace client

inline namespace v1 {

row_stream::row_stream(std::unique_ptr<client::RowSource> source) noexcept
    : source_(std::move(source)) {}
row_stream::row_stream(row_stream&&) noexcept = default;
row_stream& row_stream::operator=(row_stream&&) noexcept = default;
row_stream::~row_stream() = default;

result<std::optional<row>> row_stream::try_next() {
  auto one = source_->next();
  if (!one) return std::move(one).error();
  if (*one == nullptr) return std::optional<row>();
  return std::optional(row(*one, 0));
}

}  // namespace v1
}  // namespace pgweir
