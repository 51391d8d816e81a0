#include "session/client_encoding.h"

#include <algorithm>
#include <array>
#include <string>

#include "session/ascii_case.h"

namespace pgweir::session {

namespace {

constexpr std::array<std::string_view, 17> kClientOnlyEncodings = {
    "sjis", "shiftjis", "mskanji",    "win932", "windows932", "shiftjis2004",
    "big5", "win950",   "windows950", "gbk",    "win936",     "windows936",
    "uhc",  "win949",   "windows949", "johab",  "gb18030"};

// Names are compared by their letters and digits only, without case.
std::string clean_name(std::string_view name) {
  std::string clean;
  for (const char c : name) {
    const char lower = fold(c);
    if ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9')) clean += lower;
  }
  return clean;
}

}  // namespace

bool is_ascii_superset(std::string_view client_encoding) {
  return std::find(kClientOnlyEncodings.begin(), kClientOnlyEncodings.end(),
                   clean_name(client_encoding)) == kClientOnlyEncodings.end();
}

}  // namespace pgweir::session
