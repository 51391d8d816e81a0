// CanonicalValues: how a server spells the values that it is given. A client says DateStyle=ISO,
// the server reports "ISO, MDY"; without this memory the two would differ for ever and every lease
// would begin with a SET (PgBouncer #879). It also knows which parameters a server reports at all.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace pgweir::session {

class CanonicalValues {
 public:
  // A server reported this parameter, at login or later.
  void note_reported(std::string_view name) { reported_.emplace(name); }
  bool is_reported(std::string_view name) const { return reported_.find(name) != reported_.end(); }

  // The server, asked for `asked`, reported `answered`. Bounded: what is beyond is not remembered.
  void learn(std::string_view name, std::string_view asked, std::string_view answered);
  // How the server will report `asked`; `asked` itself as long as nothing else is known.
  std::string_view spell(std::string_view name, std::string_view asked) const;

 private:
  std::set<std::string, std::less<>> reported_;
  std::map<std::pair<std::string, std::string>, std::string> spelled_;
};

}  // namespace pgweir::session
