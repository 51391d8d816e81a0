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
constexpr std::string_view kCopyOut = "copy bench to stdout -- ";
constexpr std::string_view kCopyIn = "copy bench from stdin -- ";
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

CopyData take_copy_data(std::string_view text) {
  CopyData data;
  data.row_count = take_number(text);
  data.row_bytes = take_number(text);
  data.mark = text;
  return data;
}

std::string sized(std::string_view query, const Workload& workload, const Progress& progress) {
  return std::string(query) + std::to_string(workload.row_count) + " " +
         std::to_string(workload.row_bytes) + " " + mark_of(progress);
}

void encode_copy_in(const Workload& workload, Progress& progress, base::ByteBuffer& request,
                    Turn& turn) {
  const std::string query = sized(kCopyIn, workload, progress);
  wire::encode_query(request, query);
  encode_copy_response('G', turn.answer);
  turn.cue = turn.answer.size();
  encode_copy_data(*copied_in(query), turn.rest);
  wire::encode_command_complete(turn.answer, "COPY " + std::to_string(workload.row_count));
  wire::encode_ready_for_query(turn.answer, 'I');
  ++progress.turn;
}

}  // namespace

void encode_turn(const Workload& workload, Progress& progress, base::ByteBuffer& request,
                 Turn& turn) {
  turn.answer.clear();
  turn.cue = 0;
  turn.transaction_count = 1;
  switch (workload.kind) {
    case Kind::Simple:
      encode_simple(std::string(kEcho) + mark_of(progress) + "'", progress, request, turn.answer);
      break;
    case Kind::Prepared: encode_prepared(progress, request, turn.answer); break;
    case Kind::Parsed: encode_parsed(progress, request, turn.answer); break;
    case Kind::Pipelined:
      turn.transaction_count = kPipelineDepth;
      for (std::size_t i = 0; i < kPipelineDepth; ++i) {
        encode_prepared(progress, request, turn.answer);
      }
      break;
    case Kind::Bulk:
      encode_simple(sized(kBulk, workload, progress), progress, request, turn.answer);
      break;
    case Kind::CopyOut:
      encode_simple(sized(kCopyOut, workload, progress), progress, request, turn.answer);
      break;
    case Kind::CopyIn: encode_copy_in(workload, progress, request, turn); break;
  }
}

std::optional<CopyData> copied_in(std::string_view query) {
  if (!query.starts_with(kCopyIn)) return std::nullopt;
  return take_copy_data(query.substr(kCopyIn.size()));
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
  } else if (query.starts_with(kCopyOut)) {
    const CopyData data = take_copy_data(query.substr(kCopyOut.size()));
    encode_copy_response('H', out);
    encode_copy_data(data, out);
    wire::encode_command_complete(out, "COPY " + std::to_string(data.row_count));
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
