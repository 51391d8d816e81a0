#include "session/parameter_tracker.h"

#include <gtest/gtest.h>

#include <optional>

namespace pgweir::session {
namespace {

ParameterValue plain(std::string text) { return {.text = std::move(text), .is_source = false}; }
ParameterValue source(std::string text) { return {.text = std::move(text), .is_source = true}; }

// "a=1 b=2", as it is in the table.
std::string describe(const ParameterTable& table, ParameterSetId id) {
  std::string text;
  for (const auto& [name, value] : table.at(id)) {
    if (!text.empty()) text += ' ';
    text += name + "=" + value.text;
  }
  return text;
}

class ParameterTrackerTest : public testing::Test {
 protected:
  ~ParameterTrackerTest() override {
    tracker_.reset();
    table_.release(on_server_);
    EXPECT_EQ(table_.size(), 1U) << "a set was retained and never released";
  }

  // As the proxy does: the server has what the client brought.
  void begin(ParameterSet startup = {}) {
    const ParameterSetId id = table_.intern(std::move(startup));
    tracker_.emplace(table_, id);
    on_server_ = id;
  }
  void end(bool is_committed = true) { tracker_->handle_transaction_end(is_committed, on_server_); }
  std::string client() const { return describe(table_, tracker_->committed()); }
  std::string server() const { return describe(table_, on_server_); }

  ParameterTable table_;
  std::optional<ParameterTracker> tracker_;
  ParameterSetId on_server_{};
};

TEST_F(ParameterTrackerTest, a_set_counts_when_its_transaction_has_committed) {
  begin();
  tracker_->set("work_mem", source("1"));
  EXPECT_TRUE(tracker_->has_pending());
  EXPECT_EQ(client(), "");
  end();
  EXPECT_FALSE(tracker_->has_pending());
  EXPECT_EQ(client(), "work_mem=1");
  EXPECT_EQ(server(), "work_mem=1");
}

TEST_F(ParameterTrackerTest, a_set_that_was_rolled_back_never_was) {
  begin();
  tracker_->set("a", source("1"));
  end();
  tracker_->set("a", source("2"));
  tracker_->reset("b");
  end(false);
  EXPECT_EQ(client(), "a=1");
  EXPECT_EQ(server(), "a=1");
}

TEST_F(ParameterTrackerTest, the_last_of_several_counts) {
  begin();
  tracker_->set("a", source("1"));
  tracker_->set("A", source("2"));
  end();
  EXPECT_EQ(client(), "a=2");
}

TEST_F(ParameterTrackerTest, rollback_to_takes_back_what_came_after_the_savepoint) {
  begin();
  tracker_->set("a", source("1"));
  tracker_->savepoint("s");
  tracker_->set("a", source("2"));
  tracker_->savepoint("s");
  tracker_->set("a", source("3"));
  tracker_->rollback_to("s");
  tracker_->set("b", source("4"));
  tracker_->rollback_to("s");  // It is still there.
  end();
  EXPECT_EQ(client(), "a=2");
}

TEST_F(ParameterTrackerTest, release_keeps_what_came_after_the_savepoint) {
  begin();
  tracker_->savepoint("outer");
  tracker_->set("a", source("1"));
  tracker_->savepoint("inner");
  tracker_->set("b", source("2"));
  tracker_->release("inner");
  tracker_->rollback_to("inner");  // Gone: PostgreSQL has refused this.
  tracker_->set("c", source("3"));
  end();
  EXPECT_EQ(client(), "a=1 b=2 c=3");
}

TEST_F(ParameterTrackerTest, an_outer_savepoint_takes_inner_releases_with_it) {
  begin();
  tracker_->savepoint("outer");
  tracker_->savepoint("inner");
  tracker_->set("a", source("1"));
  tracker_->release("inner");
  tracker_->rollback_to("outer");
  end();
  EXPECT_EQ(client(), "");
}

TEST_F(ParameterTrackerTest,
       reset_leads_the_client_to_its_startup_value_and_the_server_to_its_own) {
  begin({{"TimeZone", plain("Asia/Tokyo")}, {"a", plain("0")}});
  tracker_->set("timezone", source("'UTC'"));
  tracker_->set("b", source("1"));
  end();
  tracker_->reset("timezone");
  tracker_->reset("b");
  end();
  EXPECT_EQ(client(), "TimeZone=Asia/Tokyo a=0");
  EXPECT_EQ(server(), "a=0");
}

TEST_F(ParameterTrackerTest, a_reset_leads_the_server_astray_until_it_is_told) {
  begin({{"TimeZone", plain("Asia/Tokyo")}, {"a", plain("0")}});
  tracker_->reset("b");
  EXPECT_EQ(tracker_->take_strayed(), ParameterSet{}) << "the client did not bring it";
  tracker_->reset("timezone");
  tracker_->set("a", source("1"));
  EXPECT_TRUE(tracker_->has_strayed());
  EXPECT_EQ(tracker_->take_strayed(), (ParameterSet{{"TimeZone", plain("Asia/Tokyo")}}));
  EXPECT_FALSE(tracker_->has_strayed());
  EXPECT_EQ(tracker_->restored("TimeZone"), nullptr) << "what the server reports is the truth now";
  end();
  EXPECT_EQ(client(), "TimeZone=Asia/Tokyo a=1");
  EXPECT_EQ(server(), "TimeZone=Asia/Tokyo a=1");
}

TEST_F(ParameterTrackerTest, rollback_to_leads_the_server_astray_again) {
  begin({{"TimeZone", plain("Asia/Tokyo")}});
  tracker_->reset_all();
  tracker_->savepoint("s");
  EXPECT_EQ(tracker_->take_strayed().size(), 1U);
  tracker_->rollback_to("s");
  EXPECT_TRUE(tracker_->has_strayed());
  EXPECT_EQ(tracker_->take_strayed().size(), 1U);
}

TEST_F(ParameterTrackerTest, a_transaction_that_ends_leaves_nothing_astray) {
  begin({{"TimeZone", plain("Asia/Tokyo")}});
  tracker_->reset_all();
  end(false);
  EXPECT_FALSE(tracker_->has_strayed());
}

TEST_F(ParameterTrackerTest, reset_all_leads_both_to_their_beginnings) {
  begin({{"a", plain("0")}});
  tracker_->set("a", source("1"));
  tracker_->set("b", source("1"));
  tracker_->reset_all();
  tracker_->set("c", source("2"));
  end();
  EXPECT_EQ(client(), "a=0 c=2");
  EXPECT_EQ(server(), "c=2");
}

TEST_F(ParameterTrackerTest, what_the_server_reports_is_the_truth) {
  begin();
  tracker_->set("datestyle", source("ISO"));
  end();
  tracker_->handle_reported("DateStyle", "ISO, MDY", on_server_);
  tracker_->settle();
  EXPECT_EQ(client(), "DateStyle=ISO, MDY");
  EXPECT_EQ(server(), "DateStyle=ISO, MDY");
  ASSERT_NE(table_.find(on_server_, "DateStyle"), nullptr);
  EXPECT_FALSE(table_.find(on_server_, "DateStyle")->is_source);
}

TEST_F(ParameterTrackerTest, a_report_after_a_reset_is_about_the_server_alone) {
  begin({{"TimeZone", plain("Asia/Tokyo")}});
  for (const bool is_all : {true, false}) {
    if (is_all) {
      tracker_->reset_all();
    } else {
      tracker_->reset("timezone");
    }
    ASSERT_NE(tracker_->restored("TimeZone"), nullptr);
    EXPECT_EQ(tracker_->restored("TimeZone")->text, "Asia/Tokyo");
    end();
    EXPECT_NE(tracker_->restored("TimeZone"), nullptr);
    tracker_->handle_reported("TimeZone", "UTC", on_server_);
    tracker_->settle();
    EXPECT_EQ(tracker_->restored("TimeZone"), nullptr);
    EXPECT_EQ(client(), "TimeZone=Asia/Tokyo");
    EXPECT_EQ(server(), "");
  }
}

TEST_F(ParameterTrackerTest, a_set_after_a_reset_is_reported_for_both) {
  begin({{"TimeZone", plain("Asia/Tokyo")}});
  tracker_->reset_all();
  tracker_->set("timezone", source("'PRC'"));
  EXPECT_EQ(tracker_->restored("TimeZone"), nullptr);
  end();
  tracker_->handle_reported("TimeZone", "PRC", on_server_);
  EXPECT_EQ(client(), "TimeZone=PRC");
  EXPECT_EQ(server(), "TimeZone=PRC");
}

TEST_F(ParameterTrackerTest, nothing_is_restored_that_was_not_brought) {
  begin({{"a", plain("0")}});
  tracker_->reset_all();
  EXPECT_EQ(tracker_->restored("TimeZone"), nullptr);
  end();
  tracker_->handle_reported("TimeZone", "UTC", on_server_);
  EXPECT_EQ(client(), "TimeZone=UTC a=0");
}

}  // namespace
}  // namespace pgweir::session
