#include "auth/scram_exchange.h"

#include <algorithm>

namespace pgweir::auth {

namespace {
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
}  // namespace

std::string_view ScramAttributes::take_attribute() {
  if (!good_ || !has_more_) {
    good_ = false;
    return {};
  }
  const std::size_t comma = rest_.find(',');
  const std::string_view attribute = rest_.substr(0, comma);
  has_more_ = comma != std::string_view::npos;
  if (has_more_) rest_.remove_prefix(comma + 1);
  if (attribute.size() < 2 || !is_letter(attribute[0]) || attribute[1] != '=') {
    good_ = false;
    return {};
  }
  return attribute;
}

std::string_view ScramAttributes::take(char name) {
  const std::string_view attribute = take_attribute();
  if (!good_ || attribute[0] != name) {
    good_ = false;
    return {};
  }
  return attribute.substr(2);
}

void ScramAttributes::skip_extensions() {
  while (good_ && has_more_) take_attribute();
}

bool is_scram_nonce(std::string_view text) {
  return !text.empty() && text.size() <= kScramNonceBytesMax &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= 0x21 && c <= 0x7e && c != ','; });
}

Digest client_signature(const Digest& stored_key, std::string_view auth_message) {
  return hmac_sha256(stored_key, base::as_bytes(auth_message));
}

Digest server_signature(const Digest& server_key, std::string_view auth_message) {
  return hmac_sha256(server_key, base::as_bytes(auth_message));
}

}  // namespace pgweir::auth
