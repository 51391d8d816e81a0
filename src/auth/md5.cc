#include "auth/md5.h"

#include <string>

#include "auth/hash.h"
#include "base/assert.h"

namespace pgweir::auth {

namespace {

constexpr std::string_view kPrefix = "md5";
constexpr std::size_t kHexDigits = 32;

base::Result<base::Secret> prefixed_md5(base::Bytes first, base::Bytes second) {
  base::ByteBuffer input;
  input.reserve(first.size() + second.size());
  base::append(input, first);
  base::append(input, second);
  auto hex = md5_hex(input);
  wipe(input);
  if (!hex.has_value()) return std::move(hex).error();
  return base::Secret(std::string(kPrefix) + *hex);
}

}  // namespace

bool is_md5_hash(std::string_view text) {
  return text.size() == kPrefix.size() + kHexDigits && text.starts_with(kPrefix) &&
         text.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string_view::npos;
}

base::Result<Md5Hash> make_md5_hash(std::string_view user, const base::Secret& password) {
  return Md5Hash{TRY(prefixed_md5(base::as_bytes(password.reveal()), base::as_bytes(user)))};
}

base::Result<base::Secret> make_md5_response(const Md5Hash& hash,
                                             const std::array<std::byte, 4>& salt) {
  ASSERT(is_md5_hash(hash.text.reveal()));
  return prefixed_md5(base::as_bytes(hash.text.reveal().substr(kPrefix.size())), salt);
}

}  // namespace pgweir::auth
