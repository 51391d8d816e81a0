// For the tests of the Relay: the messages that clients and servers send, as byte strings. No
// encoder of wire/ is used, so that the two cannot be wrong together.
// Source of truth: PostgreSQL manual, "Message Formats".
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::proxy::say {

inline std::string int16(std::uint16_t value) {
  return {static_cast<char>(value >> 8U), static_cast<char>(value & 0xffU)};
}
inline std::string int32(std::uint32_t value) {
  return int16(static_cast<std::uint16_t>(value >> 16U)) +
         int16(static_cast<std::uint16_t>(value & 0xffffU));
}
inline std::string zero_ended(std::string_view text) { return std::string(text) + '\0'; }

// A header that promises so many bytes of body.
inline std::string header(char type, std::size_t body_bytes) {
  return type + int32(static_cast<std::uint32_t>(body_bytes + 4));
}
inline std::string message(char type, std::string_view body = {}) {
  return header(type, body.size()) + std::string(body);
}

// What clients send.
inline std::string query(std::string_view text) { return message('Q', zero_ended(text)); }
inline std::string parse(std::string_view name, std::string_view text) {
  return message('P', zero_ended(name) + zero_ended(text) + int16(0));
}
// One parameter, in text.
inline std::string bind(std::string_view statement, std::string_view value = "1") {
  return message('B', zero_ended("") + zero_ended(statement) + int16(0) + int16(1) +
                          int32(static_cast<std::uint32_t>(value.size())) + std::string(value) +
                          int16(0));
}
inline std::string describe(std::string_view statement) {
  return message('D', 'S' + zero_ended(statement));
}
inline std::string execute() { return message('E', zero_ended("") + int32(0)); }
inline std::string close(std::string_view statement) {
  return message('C', 'S' + zero_ended(statement));
}
inline std::string function_call() {
  return message('F', int32(1598) + int16(0) + int16(0) + int16(0));
}
inline std::string sync() { return message('S'); }
inline std::string flush() { return message('H'); }
inline std::string copy_data(std::string_view data) { return message('d', data); }
inline std::string copy_done() { return message('c'); }
inline std::string copy_fail() { return message('f', zero_ended("no more")); }
inline std::string terminate() { return message('X'); }

// What servers send.
inline std::string ready(char status = 'I') { return message('Z', std::string(1, status)); }
inline std::string complete(std::string_view tag) { return message('C', zero_ended(tag)); }
inline std::string parse_complete() { return message('1'); }
inline std::string bind_complete() { return message('2'); }
inline std::string close_complete() { return message('3'); }
inline std::string row_description() {
  return message('T', int16(1) + zero_ended("k") + int32(0) + int16(0) + int32(23) + int16(4) +
                          int32(0xffffffff) + int16(0));
}
inline std::string data_row(std::string_view value) {
  return message('D',
                 int16(1) + int32(static_cast<std::uint32_t>(value.size())) + std::string(value));
}
inline std::string copy_in() { return message('G', std::string(1, '\0') + int16(1) + int16(0)); }
inline std::string copy_out() { return message('H', std::string(1, '\0') + int16(1) + int16(0)); }
inline std::string report(char type, std::string_view severity, std::string_view sqlstate,
                          std::string_view text) {
  return message(type, 'S' + zero_ended(severity) + 'V' + zero_ended(severity) + 'C' +
                           zero_ended(sqlstate) + 'M' + zero_ended(text) + '\0');
}
inline std::string error(std::string_view sqlstate, std::string_view text = "no") {
  return report('E', "ERROR", sqlstate, text);
}
inline std::string notice(std::string_view text = "mind") {
  return report('N', "NOTICE", "00000", text);
}
inline std::string parameter_status(std::string_view name, std::string_view value) {
  return message('S', zero_ended(name) + zero_ended(value));
}
// The answer to a query of one row.
inline std::string one_row(std::string_view value = "1") {
  return row_description() + data_row(value) + complete("SELECT 1") + ready();
}

// A message as the parameter of a test, which is named after its type and does not print it all.
struct Sample {
  std::string bytes;
  friend std::ostream& operator<<(std::ostream& out, const Sample& sample) {
    return out << sample.bytes.front();
  }
};
inline std::vector<Sample> samples(std::initializer_list<std::string> messages) {
  std::vector<Sample> all;
  for (const std::string& bytes : messages) all.push_back({bytes});
  return all;
}
inline std::string name_of(const testing::TestParamInfo<Sample>& sample) {
  return {sample.param.bytes.front()};
}

}  // namespace pgweir::proxy::say
