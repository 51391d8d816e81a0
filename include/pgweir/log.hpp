/// \file
/// log_function: where the library's log lines go, for programs that have a log of their own.
#pragma once

#include <functional>
#include <string_view>

namespace pgweir {
inline namespace v1 {

/// How much a line matters.
enum class log_level : unsigned char { debug, info, warning, error };

/// Gets one line without its end, in logfmt: `level=warning event=lease_overdue at=shop.cc:42 …`.
/// Any thread may call it, several at once; it must not throw. Without one the lines go to standard
/// error. Which levels are written is what the environment variable PGWEIR_LOG says: debug, info,
/// warning (the default), error or off.
using log_function = std::function<void(log_level level, std::string_view line)>;

}  // namespace v1
}  // namespace pgweir
