#include "net/limits.h"

#include <sys/resource.h>

namespace pgweir::net {

DescriptorLimit raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  DescriptorLimit report{.before = limit.rlim_cur, .now = limit.rlim_cur};
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) report.now = limit.rlim_max;
  return report;
}

}  // namespace pgweir::net
