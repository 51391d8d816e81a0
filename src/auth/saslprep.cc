#include "auth/saslprep.h"

#include <stringprep.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

namespace pgweir::auth {

base::Secret prepare_password(const base::Secret& password) {
  const std::string_view raw = password.reveal();
  const bool is_ascii =
      std::all_of(raw.begin(), raw.end(), [](char c) { return static_cast<signed char>(c) > 0; });
  // libidn reads up to a zero byte; a password that holds one never came from PostgreSQL's
  // protocol.
  if (is_ascii || raw.find('\0') != std::string_view::npos) return password;
  std::string terminated(raw);
  char* prepared = nullptr;
  const int status =
      stringprep_profile(terminated.c_str(), &prepared, "SASLprep", STRINGPREP_NO_UNASSIGNED);
  explicit_bzero(terminated.data(), terminated.size());
  if (status != STRINGPREP_OK) return password;
  const std::size_t size = std::strlen(prepared);
  base::Secret result = size == 0 ? password : base::Secret({prepared, size});
  explicit_bzero(prepared, size);
  std::free(prepared);
  return result;
}

}  // namespace pgweir::auth
