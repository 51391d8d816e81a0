// The ParameterStatus of pgweir's own by which a client sees that pgweir is in between: its value
// is the version. It stands for no setting: nobody can SET it or SHOW it.
#pragma once

namespace pgweir::wire {

inline constexpr const char* kOwnParameter = "pgweir.version";

}  // namespace pgweir::wire
