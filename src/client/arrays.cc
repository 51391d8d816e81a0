#include "pgweir/values/arrays.hpp"

#include "pgweir/values/numbers.hpp"

namespace pgweir {
inline namespace v1 {
namespace {

constexpr const char* kGarbled = "is not what PostgreSQL says that it is";
constexpr const char* kNoArray =
    "is no array of a type that is known here; cast it to text[] in the statement";
constexpr const char* kTooDeep = "is an array of more than one dimension";

constexpr std::uint32_t kNullLength = 0xffff'ffff;

struct ArrayType {
  type_oid element;
  type_oid array;
};
constexpr ArrayType kArrayTypes[] = {
    {type_oid::json, type_oid::json_array},
    {type_oid::boolean, type_oid::boolean_array},
    {type_oid::bytea, type_oid::bytea_array},
    {type_oid::int2, type_oid::int2_array},
    {type_oid::int4, type_oid::int4_array},
    {type_oid::text, type_oid::text_array},
    {type_oid::varchar, type_oid::varchar_array},
    {type_oid::int8, type_oid::int8_array},
    {type_oid::float4, type_oid::float4_array},
    {type_oid::float8, type_oid::float8_array},
    {type_oid::timestamp, type_oid::timestamp_array},
    {type_oid::date, type_oid::date_array},
    {type_oid::timestamptz, type_oid::timestamptz_array},
    {type_oid::numeric, type_oid::numeric_array},
    {type_oid::uuid, type_oid::uuid_array},
    {type_oid::jsonb, type_oid::jsonb_array},
};

// Unspecified when it is not known: then PostgreSQL finds out, and compares the elements' type.
type_oid array_of(type_oid element) {
  for (const ArrayType& type : kArrayTypes) {
    if (type.element == element) return type.array;
  }
  return type_oid::unspecified;
}

type_oid element_of_array(type_oid array) {
  for (const ArrayType& type : kArrayTypes) {
    if (type.array == array) return type.element;
  }
  return type_oid::unspecified;
}

void append_number(std::string& to, std::uint32_t value) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) to.push_back(static_cast<char>(value >> shift));
}

// Always in quotes: a text may be empty, or NULL, or have a comma or a space.
void append_quoted(std::string& to, std::string_view text) {
  to.push_back('"');
  for (const char character : text) {
    if (character == '"' || character == '\\') to.push_back('\\');
    to.push_back(character);
  }
  to.push_back('"');
}

bool take_number(std::string_view& from, std::uint32_t& to) {
  if (from.size() < sizeof to) return false;
  to = detail::decode_big_endian<std::uint32_t>(from.substr(0, sizeof to));
  from.remove_prefix(sizeof to);
  return true;
}

bool take(std::string_view& from, char wanted) {
  if (!from.starts_with(wanted)) return false;
  from.remove_prefix(1);
  return true;
}

}  // namespace

detail::array_writer::array_writer(const encoded_value& like)
    : element_type_(like.type()), is_binary_(like.is_binary()) {}

void detail::array_writer::add(const encoded_value& element) {
  if (element.refused() != nullptr) {
    refused_ = element.refused();
    return;
  }
  const bool is_null = element.data() == nullptr;
  const std::string_view bytes(is_null ? "" : element.data(), element.length());
  if (!is_null && (element.type() != element_type_ || element.is_binary() != is_binary_)) {
    refused_ = "has elements of more than one type";
  }
  has_null_ = has_null_ || is_null;
  if (is_binary_) {
    append_number(elements_, is_null ? kNullLength : static_cast<std::uint32_t>(bytes.size()));
    elements_ += bytes;
  } else {
    if (count_ != 0) elements_ += ',';
    if (is_null) {
      elements_ += "NULL";
    } else {
      append_quoted(elements_, bytes);
    }
  }
  ++count_;
}

void detail::array_writer::finish(type_oid type, encoded_value& to) {
  if (refused_ != nullptr) return to.refuse(refused_);
  if (!is_binary_) return to.keep_text("{" + elements_ + "}", type);
  std::string bytes;
  append_number(bytes, count_ == 0 ? 0 : 1);  // Dimensions: an empty array has none.
  append_number(bytes, has_null_ ? 1 : 0);
  append_number(bytes, static_cast<std::uint32_t>(element_type_));
  if (count_ != 0) {
    append_number(bytes, count_);
    append_number(bytes, 1);  // The index of the first one.
  }
  to.keep_bytes(array_of(element_type_), bytes + elements_);
}

detail::array_reader::array_reader(const cell& from)
    : rest_(from.bytes), is_binary_(from.is_binary), element_type_(element_of_array(from.type)) {
  if (element_type_ == type_oid::unspecified) {
    wrong_ = kNoArray;
  } else {
    wrong_ = is_binary_ ? open_binary() : open_text();
  }
}

bool detail::array_reader::next(cell& element) {
  if (wrong_ != nullptr || is_at_end_) return false;
  element = {.bytes = {}, .is_binary = is_binary_, .type = element_type_};
  return is_binary_ ? next_binary(element) : next_text(element);
}

bool detail::array_reader::stop(const char* wrong) noexcept {
  is_at_end_ = true;
  wrong_ = wrong;
  return false;
}

const char* detail::array_reader::open_binary() {
  std::uint32_t dimensions = 0;
  std::uint32_t has_null = 0;
  std::uint32_t type = 0;
  std::uint32_t first_index = 0;
  if (!take_number(rest_, dimensions) || !take_number(rest_, has_null) ||
      !take_number(rest_, type) || has_null > 1 || type_oid{type} != element_type_) {
    return kGarbled;
  }
  if (dimensions == 0) return nullptr;
  if (dimensions > 1) return kTooDeep;
  return take_number(rest_, count_) && take_number(rest_, first_index) ? nullptr : kGarbled;
}

bool detail::array_reader::next_binary(cell& element) {
  if (count_ == 0) return stop(rest_.empty() ? nullptr : kGarbled);
  --count_;
  std::uint32_t length = 0;
  if (!take_number(rest_, length)) return stop(kGarbled);
  element.is_null = length == kNullLength;
  if (element.is_null) return true;
  if (length > rest_.size()) return stop(kGarbled);
  element.bytes = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return true;
}

// Before the elements come the bounds, as in "[0:2]={1,2,3}", unless the first index is 1.
const char* detail::array_reader::open_text() {
  if (rest_.starts_with('[')) {
    const std::size_t end = rest_.find('=');
    if (end == std::string_view::npos || rest_[end - 1] != ']') return kGarbled;
    if (rest_.find('[', 1) < end) return kTooDeep;
    rest_.remove_prefix(end + 1);
  }
  return take(rest_, '{') ? nullptr : kGarbled;
}

bool detail::array_reader::next_text(cell& element) {
  const bool is_first = std::exchange(is_first_, false);
  if (take(rest_, '}')) return stop(rest_.empty() ? nullptr : kGarbled);
  if (!is_first && !take(rest_, ',')) return stop(kGarbled);
  if (rest_.starts_with('{')) return stop(kTooDeep);
  if (take(rest_, '"')) {
    if (!take_quoted()) return stop(kGarbled);
    element.bytes = unquoted_;
    return true;
  }
  element.bytes = rest_.substr(0, rest_.find_first_of(",}"));
  if (element.bytes.empty() || element.bytes.find_first_of("\"\\{") != std::string_view::npos) {
    return stop(kGarbled);
  }
  rest_.remove_prefix(element.bytes.size());
  element.is_null = element.bytes == "NULL";
  return true;
}

// To the other quote, which is taken too.
bool detail::array_reader::take_quoted() {
  unquoted_.clear();
  while (!take(rest_, '"')) {
    take(rest_, '\\');
    if (rest_.empty()) return false;
    unquoted_.push_back(rest_.front());
    rest_.remove_prefix(1);
  }
  return true;
}

}  // namespace v1
}  // namespace pgweir
