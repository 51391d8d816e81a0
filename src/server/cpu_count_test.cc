#include "server/cpu_count.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

namespace pgweir::server {
namespace {

TEST(CpuCount, a_quota_is_rounded_up_to_whole_cpus) {
  EXPECT_EQ(cpu_count_of_quota("200000 100000"), 2U);
  EXPECT_EQ(cpu_count_of_quota("150000 100000"), 2U);
  EXPECT_EQ(cpu_count_of_quota("1000 100000"), 1U);
  EXPECT_EQ(cpu_count_of_quota("800000 100000\n"), 8U);
}

TEST(CpuCount, what_is_no_quota_limits_nothing) {
  for (const char* text : {"", "max 100000", "200000", "200000 ", "200000 0", "0 100000", "x y",
                           "99999999999999999999 100000"})
    EXPECT_EQ(cpu_count_of_quota(text), UINT32_MAX) << text;
}

TEST(CpuCount, a_thread_that_is_kept_on_one_cpu_has_one) {
  std::uint32_t counted = 0;
  std::thread([&counted] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
    if (sched_setaffinity(0, sizeof(one), &one) == 0) counted = usable_cpu_count();
  }).join();
  EXPECT_EQ(counted, 1U);
  EXPECT_GE(usable_cpu_count(), 1U);
}

TEST(CpuCount, small_machines_have_one_data_reactor_and_large_ones_a_quarter) {
  for (const std::uint32_t cpus : {1U, 2U, 4U, 7U})
    EXPECT_EQ(default_data_reactor_count(cpus), 1U) << cpus;
  EXPECT_EQ(default_data_reactor_count(8), 2U);
  EXPECT_EQ(default_data_reactor_count(12), 3U);
  EXPECT_EQ(default_data_reactor_count(32), 8U);
  EXPECT_EQ(default_data_reactor_count(256), 8U);
}

}  // namespace
}  // namespace pgweir::server
