#include "pgweir/options.hpp"

#include <cstdlib>

namespace pgweir {
inline namespace v1 {
namespace {

// RFC 3986, section 2.1: everything but the unreserved characters.
std::string escape(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string escaped;
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      escaped += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    escaped += {'%', kDigits[byte / 16U], kDigits[byte % 16U]};
  }
  return escaped;
}

std::string from_environment() {
  const char* url = std::getenv("DATABASE_URL");
  return url == nullptr ? "" : url;
}

}  // namespace

database_options::database_options() : url_(from_environment()) {}

database_options& database_options::set(std::string_view name, std::string_view value) {
  set_.emplace_back(name, value);
  return *this;
}

database_options& database_options::log_to(log_function function) {
  log_ = std::move(function);
  return *this;
}

database_options& database_options::observe_by(std::shared_ptr<pool_observer> observer) {
  observer_ = std::move(observer);
  return *this;
}

// Of a parameter that stands there twice the last one holds.
std::string database_options::url() const {
  std::string url = url_;
  for (const auto& [name, value] : set_) {
    url += url.find('?') == std::string::npos ? '?' : '&';
    url += escape(name) + "=" + escape(value);
  }
  return url;
}

}  // namespace v1
}  // namespace pgweir
