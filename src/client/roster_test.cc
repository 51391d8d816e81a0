#include "client/roster.h"

#include <gmock/gmock.h>

#include <chrono>

namespace pgweir::client {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::StrEq;

base::Instant at(int second) { return base::Instant{} + std::chrono::seconds(second); }

auto tagged(const char* tag) { return Field(&LeaseNote::tag, StrEq(tag)); }

TEST(RosterTest, knows_what_is_lent_and_what_is_there) {
  Roster roster;
  EXPECT_TRUE(roster.is_empty());
  Server& one = roster.add();
  Server& other = roster.add();
  Roster::note_lease(other, {.tag = "report"});
  EXPECT_THAT(roster.leases(), ElementsAre(tagged("report")));
  roster.remove(one);
  EXPECT_THAT(roster.leases(), ElementsAre(tagged("report")));
  Roster::note_end_of_lease(other);
  EXPECT_THAT(roster.leases(), IsEmpty());
  roster.remove(other);
  EXPECT_TRUE(roster.is_empty());
}

TEST(RosterTest, an_overdue_lease_is_told_once_and_one_that_is_meant_to_last_never) {
  Roster roster;
  Server& leaked = roster.add();
  Roster::note_lease(leaked, {.tag = "leaked", .since = at(10)});
  Roster::note_lease(roster.add(), {.tag = "listener", .since = at(10), .is_lasting = true});
  Roster::note_lease(roster.add(), {.tag = "young", .since = at(20)});
  EXPECT_THAT(roster.take_overdue_leases(at(9)), IsEmpty());
  EXPECT_THAT(roster.take_overdue_leases(at(15)), ElementsAre(tagged("leaked")));
  EXPECT_THAT(roster.take_overdue_leases(at(15)), IsEmpty());
  Roster::note_end_of_lease(leaked);
  Roster::note_lease(leaked, {.tag = "again", .since = at(12)});
  EXPECT_THAT(roster.take_overdue_leases(at(15)), ElementsAre(tagged("again")));
}

}  // namespace
}  // namespace pgweir::client
