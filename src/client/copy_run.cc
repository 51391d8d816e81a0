#include "client/copy_run.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "client/clock.h"
#include "client/statement_error.h"

namespace pgweir {
namespace client {
namespace {

// As much as libpq is given before it has to be on its way.
constexpr std::size_t kUnflushedMax = 64 * 1024;
constexpr base::Duration kFarewell = std::chrono::seconds(2);

error_info value_error_of(const char* what, const code_location& where) {
  return {.kind = error_kind::value, .text = what + at(where), .where = where};
}

}  // namespace

result<copy_in> CopyRun::begin_in(Database& database, Server& server, const Statement& statement,
                                  const sql& call) {
  auto run = std::make_unique<CopyRun>(database, server, call);
  if (auto failed = run->begin(statement, PGRES_COPY_IN)) return std::move(*failed);
  return copy_in(std::move(run));
}

result<copy_out> CopyRun::begin_out(Database& database, Server& server, const Statement& statement,
                                    const sql& call) {
  auto run = std::make_unique<CopyRun>(database, server, call);
  if (auto failed = run->begin(statement, PGRES_COPY_OUT)) return std::move(*failed);
  return copy_out(std::move(run));
}

CopyRun::~CopyRun() {
  if (!is_open_) return;
  // PostgreSQL waits for the next row of a COPY from here, and takes the end of it as well.
  const Patience farewell{.deadline = precise_now() + kFarewell};
  if (direction_ == PGRES_COPY_IN && drain(run_.connection(), farewell) == Waited::Ready) return;
  run_.abandon();
}

std::optional<error_info> CopyRun::begin(const Statement& statement, ExecStatusType direction) {
  if (auto failed = run_.begin({&statement, 1})) return failed;
  auto begun = run_.next();
  if (!begun) return std::move(begun).error();
  if (PQresultStatus(begun->get()) != direction) return refuse_other(begun->get());
  direction_ = direction;
  is_open_ = true;
  return std::nullopt;
}

std::optional<error_info> CopyRun::refuse_other(const PGresult* begun) {
  const ExecStatusType status = PQresultStatus(begun);
  if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) {
    run_.abandon();
    return value_error_of(status == PGRES_COPY_IN ? "this COPY is FROM STDIN: use copy_from()"
                                                  : "this COPY is TO STDOUT: use copy_to()",
                          run_.where());
  }
  if (auto ended = read_end(); !ended) return std::move(ended).error();
  return value_error_of("this is no COPY from or to the client; it has been carried out",
                        run_.where());
}

error_info CopyRun::fail(Waited waited) {
  is_open_ = false;
  // The server's last words, if any, say more than that it is gone.
  if (waited == Waited::Lost) {
    if (auto ended = read_end(); !ended) return std::move(ended).error();
  }
  return run_.give_up(waited);
}

std::optional<error_info> CopyRun::write(std::string_view bytes) {
  if (!is_open_) return value_error_of("this COPY is over", run_.where());
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kUnflushedMax);
    const int taken =
        PQputCopyData(run_.connection(), piece.data(), static_cast<int>(piece.size()));
    if (taken < 0) return fail(Waited::Lost);
    if (taken > 0) {
      bytes.remove_prefix(piece.size());
      unflushed_ += piece.size();
    }
    if (taken > 0 && unflushed_ < kUnflushedMax) continue;
    const Waited waited = flush(run_.connection(), run_.patience());
    if (waited != Waited::Ready) return fail(waited);
    unflushed_ = 0;
  }
  return std::nullopt;
}

result<std::uint64_t> CopyRun::finish() {
  if (!is_open_) return value_error_of("this COPY is over", run_.where());
  while (true) {
    const int ended = PQputCopyEnd(run_.connection(), nullptr);
    if (ended < 0) return fail(Waited::Lost);
    const Waited waited = flush(run_.connection(), run_.patience());
    if (waited != Waited::Ready) return fail(waited);
    if (ended > 0) break;
  }
  is_open_ = false;
  return read_end();
}

result<std::uint64_t> CopyRun::read_end() {
  std::uint64_t count = 0;
  while (true) {
    auto said = run_.next();
    if (!said) return std::move(said).error();
    if (*said == nullptr) return count;
    if (is_copy(said->get())) return run_.give_up(Waited::Lost);
    const char* text = PQcmdTuples(said->get());
    std::from_chars(text, text + std::strlen(text), count);
  }
}

result<std::optional<std::string_view>> CopyRun::next() {
  row_.reset();
  while (is_open_) {
    char* row = nullptr;
    const int length = PQgetCopyData(run_.connection(), &row, 1);
    row_.reset(row);
    if (length > 0) return std::optional(std::string_view(row, static_cast<std::size_t>(length)));
    if (length < 0) {
      is_open_ = false;
      if (auto ended = read_end(); !ended) return std::move(ended).error();
      break;
    }
    const Waited waited = read_some(run_.connection(), run_.patience());
    if (waited != Waited::Ready) return fail(waited);
  }
  return std::optional<std::string_view>();
}

}  // namespace client

inline namespace v1 {

copy_in::copy_in(std::unique_ptr<client::CopyRun> run) noexcept : run_(std::move(run)) {}
copy_in::copy_in(copy_in&&) noexcept = default;
copy_in& copy_in::operator=(copy_in&&) noexcept = default;
copy_in::~copy_in() = default;

void copy_in::write(std::string_view bytes) {
  if (auto failed = run_->write(bytes)) throw_error(std::move(*failed));
}

std::uint64_t copy_in::finish() { return run_->finish().value(); }

copy_out::copy_out(std::unique_ptr<client::CopyRun> run) noexcept : run_(std::move(run)) {}
copy_out::copy_out(copy_out&&) noexcept = default;
copy_out& copy_out::operator=(copy_out&&) noexcept = default;
copy_out::~copy_out() = default;

result<std::optional<std::string_view>> copy_out::try_next() { return run_->next(); }

}  // namespace v1
}  // namespace pgweir
