#include "session/query_cycle.h"

#include <gtest/gtest.h>

#include <string_view>

namespace pgweir::session {
namespace {

using enum Request;

class QueryCycleTest : public testing::Test {
 protected:
  void ask(std::initializer_list<Request> requests, Origin origin = Origin::Client) {
    for (const Request r : requests) cycle.expect({.request = r, .origin = origin});
  }
  // Feeds reply types; 'Z' says idle. Every one must be accepted.
  void reply(std::string_view types) {
    for (const char type : types) {
      auto step = cycle.handle_reply(type);
      EXPECT_TRUE(step.has_value()) << type;
    }
  }
  QueryCycle cycle;
};

TEST_F(QueryCycleTest, a_simple_query_is_over_at_ready_for_query) {
  ask({Query});
  reply("TDDC");
  EXPECT_FALSE(cycle.is_idle());
  reply("Z");
  EXPECT_TRUE(cycle.is_idle());
}

TEST_F(QueryCycleTest, a_transaction_keeps_the_server) {
  ask({Query});
  reply("C");
  ASSERT_TRUE(cycle.handle_reply('Z', 'T').has_value());
  EXPECT_TRUE(cycle.is_quiet());
  EXPECT_FALSE(cycle.is_idle());
}

TEST_F(QueryCycleTest, every_pipelined_sync_is_counted) {
  ask({Parse, Bind, Execute, Sync, Bind, Execute, Sync, Query});
  reply("12CZ");
  EXPECT_FALSE(cycle.is_quiet());
  reply("2CZ");
  EXPECT_FALSE(cycle.is_quiet());
  reply("TCZ");
  EXPECT_TRUE(cycle.is_idle());
}

TEST_F(QueryCycleTest, a_flush_only_batch_is_quiet_but_says_so_without_ready_for_query) {
  ask({Parse, Describe});
  reply("1tT");
  EXPECT_TRUE(cycle.is_quiet());
  EXPECT_FALSE(cycle.is_idle());
  ask({Sync});
  reply("Z");
  EXPECT_TRUE(cycle.is_idle());
}

TEST_F(QueryCycleTest, an_error_skips_to_the_sync_that_was_sent) {
  ask({Parse, Bind, Execute, Sync, Query});
  reply("1");
  auto step = cycle.handle_reply('E');
  ASSERT_TRUE(step.has_value());
  EXPECT_TRUE(step->is_failed);
  EXPECT_EQ(step->answered.request, Bind);
  ASSERT_EQ(cycle.skipped().size(), 1U);
  EXPECT_EQ(cycle.skipped()[0].request, Execute);
  EXPECT_FALSE(cycle.is_skipping());  // What follows the Sync is answered again.
  reply("ZCZ");
  EXPECT_TRUE(cycle.is_idle());
}

TEST_F(QueryCycleTest, after_an_error_requests_before_sync_expect_nothing) {
  ask({Parse});
  reply("E");
  EXPECT_TRUE(cycle.is_skipping());
  EXPECT_FALSE(cycle.is_idle());
  EXPECT_FALSE(cycle.expect({.request = Bind}));
  EXPECT_FALSE(cycle.expect({.request = Query}));
  EXPECT_TRUE(cycle.expect({.request = Sync}));
  reply("Z");
  EXPECT_TRUE(cycle.is_idle());
}

TEST_F(QueryCycleTest, an_error_at_sync_is_followed_by_ready_for_query_only) {
  ask({Bind, Execute, Sync});
  reply("2CEZ");
  EXPECT_TRUE(cycle.is_idle());
}

// libpq sends Sync with the Execute, and another one behind CopyDone; the first is ignored.
TEST_F(QueryCycleTest, copy_in_ignores_the_sync_in_front_of_copy_done) {
  ask({Parse, Bind, Describe, Execute, Sync});
  reply("12nG");
  EXPECT_TRUE(cycle.is_copying_in());
  EXPECT_FALSE(cycle.expect({.request = Sync}));
  ask({CopyEnd, Sync});
  reply("C");
  EXPECT_FALSE(cycle.is_idle());
  reply("Z");
  EXPECT_TRUE(cycle.is_idle());
}

TEST_F(QueryCycleTest, copy_done_that_overtakes_copy_in_response_keeps_the_sync_behind_it) {
  ask({Bind, Execute, CopyEnd, Sync});
  reply("2GC");
  EXPECT_FALSE(cycle.is_copying_in());
  EXPECT_EQ(cycle.size(), 1U);
  reply("Z");
  EXPECT_TRUE(cycle.is_idle());
}

TEST_F(QueryCycleTest, a_second_copy_of_the_same_text_has_an_end_of_its_own) {
  cycle.expect({.request = Request::Query});
  ASSERT_TRUE(cycle.handle_reply('G'));
  cycle.expect({.request = Request::CopyEnd});
  ASSERT_TRUE(cycle.handle_reply('C'));
  ASSERT_TRUE(cycle.handle_reply('G'));
  EXPECT_TRUE(cycle.is_copying_in());
  cycle.expect({.request = Request::CopyEnd});
  EXPECT_FALSE(cycle.is_copying_in());
}

TEST_F(QueryCycleTest, copy_done_after_a_failed_copy_expects_nothing) {
  ask({Query});
  reply("GEZ");
  EXPECT_TRUE(cycle.is_idle());
  EXPECT_FALSE(cycle.expect({.request = CopyEnd}));
  EXPECT_TRUE(cycle.is_idle());
}

TEST_F(QueryCycleTest, a_failed_extended_copy_waits_for_the_sync_behind_copy_done) {
  ask({Bind, Execute, Sync});
  reply("2GE");
  EXPECT_TRUE(cycle.is_skipping());
  EXPECT_FALSE(cycle.expect({.request = CopyEnd}));
  EXPECT_TRUE(cycle.expect({.request = Sync}));
  reply("Z");
  EXPECT_TRUE(cycle.is_idle());
}

TEST_F(QueryCycleTest, synthetic_replies_come_in_their_place) {
  ask({Bind});
  ask({Parse}, Origin::Synthetic);
  ask({Execute, Sync});
  Expectation out;
  EXPECT_FALSE(cycle.take_synthetic(out));
  reply("2");
  EXPECT_TRUE(cycle.take_synthetic(out));
  EXPECT_EQ(out.request, Parse);
  EXPECT_FALSE(cycle.take_synthetic(out));
  reply("CZ");
  EXPECT_TRUE(cycle.is_idle());
}

TEST_F(QueryCycleTest, our_own_replies_are_swallowed) {
  ask({Query}, Origin::Ours);
  ask({Query});
  auto step = cycle.handle_reply('C');
  ASSERT_TRUE(step.has_value());
  EXPECT_EQ(step->fate, QueryCycle::Fate::Swallow);
  reply("Z");
  step = cycle.handle_reply('T');
  ASSERT_TRUE(step.has_value());
  EXPECT_EQ(step->fate, QueryCycle::Fate::Forward);
}

TEST_F(QueryCycleTest, an_error_of_ours_is_the_clients_where_its_requests_are_skipped_for_it) {
  ask({Parse}, Origin::Ours);
  ask({Bind, Execute, Sync});
  auto step = cycle.handle_reply('E');
  ASSERT_TRUE(step.has_value());
  EXPECT_TRUE(step->is_failed);
  EXPECT_EQ(step->fate, QueryCycle::Fate::Forward);
  EXPECT_EQ(cycle.skipped().size(), 2U);
  reply("Z");
  ask({Query}, Origin::Ours);
  step = cycle.handle_reply('E');
  ASSERT_TRUE(step.has_value());
  EXPECT_EQ(step->fate, QueryCycle::Fate::Swallow);
}

TEST_F(QueryCycleTest, a_disowned_cycle_owes_the_client_nothing) {
  ask({Bind});
  ask({Parse}, Origin::Synthetic);
  ask({Sync});
  EXPECT_TRUE(cycle.owes_client());
  cycle.disown();
  EXPECT_FALSE(cycle.owes_client());
  EXPECT_EQ(cycle.size(), 2U);
  reply("2Z");
  EXPECT_TRUE(cycle.is_idle());
}

TEST_F(QueryCycleTest, the_ring_grows_and_keeps_its_order) {
  for (std::uint32_t i = 0; i < 1000; ++i) cycle.expect({.request = Sync, .tag = i});
  for (std::uint32_t i = 0; i < 1000; ++i) {
    auto step = cycle.handle_reply('Z');
    ASSERT_TRUE(step.has_value());
    ASSERT_EQ(step->answered.tag, i);
  }
}

// Each request as head × each byte that could be a reply's type; only these are right.
TEST_F(QueryCycleTest, any_other_reply_is_a_violation) {
  struct Right {
    Request request;
    std::string_view types;
  };
  constexpr Right kRight[] = {{Query, "TDCIGHdcEZ"}, {FunctionCall, "VEZ"}, {Parse, "1E"},
                              {Bind, "2E"},          {Describe, "tTnE"},    {Execute, "DCIsGHdcE"},
                              {Close, "3E"},         {Sync, "EZ"}};
  for (const Right& right : kRight) {
    for (int type = 1; type < 256; ++type) {
      QueryCycle fresh;
      fresh.expect({.request = right.request});
      const bool is_right = right.types.find(static_cast<char>(type)) != std::string_view::npos;
      EXPECT_EQ(fresh.handle_reply(static_cast<char>(type)).has_value(), is_right) << type;
    }
  }
  QueryCycle nothing;
  EXPECT_FALSE(nothing.handle_reply('Z').has_value());
}

}  // namespace
}  // namespace pgweir::session
