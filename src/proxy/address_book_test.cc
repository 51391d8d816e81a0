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

}  // namespace
}  // namespace pgweir::proxy
