#include "workload.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "wire/query.h"
#include "wire/reply.h"
#include "wire/rows.h"

namespace pgweir::bench {

namespace {

constexpr std::string_view kEcho = "select '";
constexpr std::string_view kBulk = "select bulk ";
constexpr std::string_view kStatement = "select $1 /* statement ";

std::string mark_of(const Progress& progress) {
  return std::to_string(progress.client) + "." + std::to_string(progress.turn);
}

void encode_row(std::string_view value, base::ByteBuffer& out) {
  const std::optional<std::string_view> column = value;
  wire::encode_data_row(out, {&column, 1});
}

// One parameter, in text; results in text.
void encode_bind(std::string_view statement, std::string_view value, base::ByteBuffer& out) {
  base::ByteBuffer tail;
  base::ByteWriter writer(tail);
  writer.u16(0);
  writer.u16(1);
  writer.u32(static_cast<std::uint32_t>(value.size()));
  writer.text(value);
  writer.u16(0);
  wire::encode_bind_head(out, "", statement, tail.size());
  base::append(out, tail);
}

constexpr std::array<std::byte, 2> kNoTypes{};

void encode_parse(std::string_view name, std::size_t number, base::ByteBuffer& out) {
  wire::encode_parse(out, name, std::string(kStatement) + std::to_string(number) + " */", kNoTypes);
}

void encode_execution_request(std::string_view name, const std::string& mark,
                              base::ByteBuffer& request) {
  encode_bind(name, mark, request);
  wire::encode_execute(request, "", 0);
  wire::encode_sync(request);
}

void encode_prepared(Progress& progress, base::ByteBuffer& request, base::ByteBuffer& answer) {
  const std::size_t number = progress.turn % kStatementCount;
  const std::string name = "s" + std::to_string(number);
  const std::string mark = mark_of(progress);
  if (!progress.prepared[number]) {
    progress.prepared.set(number);
    encode_parse(name, number, request);
    wire::encode_parse_complete(answer);
  }
  encode_execution_request(name, mark, request);
  wire::encode_bind_complete(answer);
  encode_execution(mark, answer);
  wire::encode_ready_for_query(answer, 'I');
  ++progress.turn;
}

void encode_parsed(Progress& progress, base::ByteBuffer& request, base::ByteBuffer& answer) {
  const std::string mark = mark_of(progress);
  encode_parse("", progress.turn % kStatementCount, request);
  encode_bind("", mark, request);
  wire::encode_describe(request, 'P', "");
  wire::encode_execute(request, "", 0);
  wire::encode_sync(request);
  wire::encode_parse_complete(answer);
  wire::encode_bind_complete(answer);
  encode_columns(answer);
  encode_execution(mark, answer);
  wire::encode_ready_for_query(answer, 'I');
  ++progress.turn;
}

void encode_simple(const std::string& query, Progress& progress, base::ByteBuffer& request,
                   base::ByteBuffer& answer) {
  wire::encode_query(request, query);
  encode_answer(query, answer);
  ++progress.turn;
}

std::size_t take_number(std::string_view& text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(
      std::min<std::size_t>(static_cast<std::size_t>(end - text.data()) + 1, text.size()));
  return error == std::errc{} ? number : 0;
}

}  // namespace

std::size_t encode_turn(const Workload& workload, Progress& progress, base::ByteBuffer& request,
                        base::ByteBuffer& answer) {
  switch (workload.kind) {
    case Kind::Simple:
      encode_simple(std::string(kEcho) + mark_of(progress) + "'", progress, request, answer);
      return 1;
    case Kind::Prepared: encode_prepared(progress, request, answer); return 1;
    case Kind::Parsed: encode_parsed(progress, request, answer); return 1;
    case Kind::Pipelined:
      for (std::size_t i = 0; i < kPipelineDepth; ++i) encode_prepared(progress, request, answer);
      return kPipelineDepth;
    case Kind::Bulk:
      encode_simple(std::string(kBulk) + std::to_string(workload.row_count) + " " +
                        std::to_string(workload.row_bytes) + " " + mark_of(progress),
                    progress, request, answer);
      return 1;
  }
  return 0;
}

bool encode_answer(std::string_view query, base::ByteBuffer& out) {
  if (query.starts_with(kBulk)) {
    query.remove_prefix(kBulk.size());
    const std::size_t row_count = take_number(query);
    const std::string filling(take_number(query), 'x');
    encode_columns(out);
    encode_row(query, out);
    for (std::size_t i = 1; i < row_count; ++i) encode_row(filling, out);
    wire::encode_command_complete(out, "SELECT " + std::to_string(row_count));
  } else if (query.starts_with(kEcho) && query.ends_with('\'')) {
    encode_columns(out);
    encode_execution(query.substr(kEcho.size(), query.size() - kEcho.size() - 1), out);
  } else {
    return false;
  }
  wire::encode_ready_for_query(out, 'I');
  return true;
}

bool is_statement(std::string_view text) { return text.starts_with(kStatement); }

void encode_execution(std::string_view parameter, base::ByteBuffer& out) {
  encode_row(parameter, out);
  wire::encode_command_complete(out, "SELECT 1");
}

void encode_columns(base::ByteBuffer& out) {
  constexpr wire::Column kColumn{.name = "mark"};
  wire::encode_row_description(out, {&kColumn, 1});
}

}  // namespace pgweir::bench
