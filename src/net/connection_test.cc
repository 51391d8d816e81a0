#include "net/connection.h"

#include <gtest/gtest.h>

#include <set>

namespace pgweir::net {
namespace {

TEST(ConnectionTableTest, a_slot_used_again_has_another_id) {
  ConnectionTable table;
  std::set<base::ConnectionId> seen;
  for (int i = 0; i < 100; ++i) {
    const base::ConnectionId id = ConnectionTable::id_of(table.add());
    EXPECT_TRUE(seen.insert(id).second);
    EXPECT_NE(id, base::ConnectionId::None);
    table.remove(*table.find(id));
    EXPECT_EQ(table.find(id), nullptr);
  }
  EXPECT_EQ(table.count(), 0U);
}

TEST(ConnectionTableTest, entries_do_not_move_when_it_grows) {
  ConnectionTable table;
  Connection& first = table.add();
  const base::ConnectionId id = ConnectionTable::id_of(first);
  for (int i = 0; i < 1000; ++i) table.add();
  EXPECT_EQ(table.find(id), &first);
  EXPECT_EQ(table.count(), 1001U);
}

TEST(ConnectionTableTest, ids_that_never_were_are_not_found) {
  ConnectionTable table;
  EXPECT_EQ(table.find(base::make_connection_id(7, 1)), nullptr);
  table.add();
  EXPECT_EQ(table.find(base::make_connection_id(7, 1)), nullptr) << "the slot is free";
  EXPECT_EQ(table.find(base::ConnectionId::None), nullptr);
}

}  // namespace
}  // namespace pgweir::net
