#include "proxy/address_book.h"

#include <gtest/gtest.h>

namespace pgweir::proxy {
namespace {

ServerAddress host(const std::string& name, std::uint16_t port = 5432) {
  return {.host = name, .port = port, .address = {}};
}

DatabaseOptions database(std::vector<ServerAddress> hosts) {
  DatabaseOptions options;
  options.hosts = std::move(hosts);
  return options;
}

std::vector<std::string> addresses(const AddressBook& book, const DatabaseOptions& options,
                                   std::size_t turn = 0) {
  std::vector<std::string> found;
  const auto endpoints = book.find(options, turn);
  if (!endpoints) return {"! " + endpoints.error().context};
  for (const base::Endpoint& endpoint : *endpoints) found.push_back(endpoint.address);
  return found;
}

using Texts = std::vector<std::string>;

TEST(AddressBookTest, addresses_and_sockets_need_no_resolver) {
  const AddressBook book;
  EXPECT_EQ(addresses(book, database({host("192.0.2.1"), host("::1")})),
            (Texts{"192.0.2.1", "::1"}));
  EXPECT_EQ(addresses(book, database({host("/run/postgresql", 5433)})),
            (Texts{"/run/postgresql/.s.PGSQL.5433"}));
  EXPECT_EQ(
      addresses(book,
                database({ServerAddress{.host = "db", .port = 5432, .address = "192.0.2.9"}})),
      (Texts{"192.0.2.9"}));
}

TEST(AddressBookTest, a_name_leads_to_all_its_addresses) {
  AddressBook book;
  EXPECT_EQ(addresses(book, database({host("db")})).front().front(), '!');
  book.set("db", {"192.0.2.1", "192.0.2.2"}, "");
  EXPECT_EQ(addresses(book, database({host("db")})), (Texts{"192.0.2.1", "192.0.2.2"}));
}

TEST(AddressBookTest, a_failed_lookup_does_not_unlearn) {
  AddressBook book;
  book.set("db", {}, "no such name");
  EXPECT_EQ(addresses(book, database({host("db")})), (Texts{"! no such name"}));
  book.set("db", {"192.0.2.1"}, "");
  book.set("db", {}, "no such name");
  EXPECT_EQ(addresses(book, database({host("db")})), (Texts{"192.0.2.1"}));
}

TEST(AddressBookTest, hosts_that_share_the_load_take_turns) {
  const AddressBook book;
  DatabaseOptions options = database({host("192.0.2.1"), host("192.0.2.2")});
  EXPECT_EQ(addresses(book, options, 1), (Texts{"192.0.2.1", "192.0.2.2"}));
  options.load_balance = LoadBalance::RoundRobin;
  EXPECT_EQ(addresses(book, options, 1), (Texts{"192.0.2.2", "192.0.2.1"}));
}

constexpr const char* kSocket = "/run/postgresql/.s.PGSQL.5432";

AddressBook with_socket() {
  AddressBook book;
  book.set("db", {"::1", "127.0.0.1"}, "");
  book.set_unix_socket("127.0.0.1", 5432, kSocket);
  return book;
}

TEST(AddressBookTest, a_unix_socket_comes_before_the_address_that_it_stands_in_for) {
  const AddressBook book = with_socket();
  EXPECT_EQ(addresses(book, database({host("127.0.0.1")})), (Texts{kSocket, "127.0.0.1"}));
  EXPECT_EQ(addresses(book, database({host("db")})), (Texts{"::1", kSocket, "127.0.0.1"}));
  EXPECT_EQ(addresses(book, database({host("127.0.0.1", 5433)})), (Texts{"127.0.0.1"}));
}

TEST(AddressBookTest, a_unix_socket_is_for_those_who_do_without_tls) {
  const AddressBook book = with_socket();
  DatabaseOptions options = database({host("127.0.0.1")});
  for (const SslMode mode : {SslMode::Disable, SslMode::Allow, SslMode::Prefer}) {
    options.tls.mode = mode;
    EXPECT_EQ(addresses(book, options), (Texts{kSocket, "127.0.0.1"}));
  }
  for (const SslMode mode : {SslMode::Require, SslMode::VerifyCa, SslMode::VerifyFull}) {
    options.tls.mode = mode;
    EXPECT_EQ(addresses(book, options), (Texts{"127.0.0.1"}));
  }
  options.tls.mode = SslMode::Prefer;
  options.channel_binding = ChannelBinding::Require;
  EXPECT_EQ(addresses(book, options), (Texts{"127.0.0.1"}));
}

TEST(AddressBookTest, a_unix_socket_is_not_used_where_nobody_prefers_it) {
  const AddressBook book = with_socket();
  DatabaseOptions options = database({host("127.0.0.1")});
  options.prefers_unix_socket = false;
  EXPECT_EQ(addresses(book, options), (Texts{"127.0.0.1"}));
}

TEST(AddressBookTest, a_unix_socket_is_used_until_it_is_taken_back) {
  AddressBook book = with_socket();
  book.set_unix_socket("127.0.0.1", 5432, "");
  EXPECT_EQ(addresses(book, database({host("127.0.0.1")})), (Texts{"127.0.0.1"}));
  book.set_unix_socket("127.0.0.1", 5432, kSocket);
  EXPECT_EQ(addresses(book, database({host("127.0.0.1")})), (Texts{kSocket, "127.0.0.1"}));
}

TEST(AddressBookTest, a_unix_socket_that_was_given_up_stays_so) {
  AddressBook book = with_socket();
  EXPECT_TRUE(book.give_up_unix_socket("127.0.0.1", 5432));
  EXPECT_FALSE(book.give_up_unix_socket("127.0.0.1", 5432));
  book.set_unix_socket("127.0.0.1", 5432, kSocket);
  EXPECT_EQ(addresses(book, database({host("127.0.0.1")})), (Texts{"127.0.0.1"}));
}

TEST(AddressBookTest, knows_a_stand_in_from_a_socket_that_is_configured) {
  const AddressBook book = with_socket();
  const auto by_host = book.find(database({host("127.0.0.1")}), 0);
  EXPECT_TRUE(AddressBook::is_stand_in(by_host->at(0)));
  EXPECT_FALSE(AddressBook::is_stand_in(by_host->at(1)));
  const auto configured = book.find(database({host("/run/postgresql")}), 0);
  EXPECT_FALSE(AddressBook::is_stand_in(configured->at(0)));
}

}  // namespace
}  // namespace pgweir::proxy
