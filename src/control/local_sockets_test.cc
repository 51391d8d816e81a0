#include "control/local_sockets.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <utility>

namespace pgweir::control {
namespace {

// As the kernel writes them: a listener of user 104 on port 5432 for each address, one of its
// connections, and a listener of user 1000 on 6432.
constexpr std::string_view kTables =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   104        0 "
    "32341 1 0000000000000000 100 0 0 10 0\n"
    "   1: 0100007F:1538 0100007F:C0DE 01 00000000:00000000 00:00000000 00000000  1000        0 "
    "32342 1 0000000000000000 20 4 30 10 -1\n"
    "   2: 0100007F:1920 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 "
    "32343 1 0000000000000000 100 0 0 10 0\n"
    "  sl  local_address                         remote_address                        st ...\n"
    "   0: 00000000000000000000000001000000:1538 00000000000000000000000000000000:0000 0A "
    "00000000:00000000 00:00000000 00000000   104        0 32344 1 0000000000000000 100 0 0 10 0\n";

TEST(LocalSocketsTest, a_port_is_of_the_user_who_listens_there) {
  EXPECT_EQ(find_listener(kTables, 5432), 104U);
  EXPECT_EQ(find_listener(kTables, 6432), 1000U);
  EXPECT_EQ(find_listener(kTables, 0xC0DE), std::nullopt) << "only a client of it";
  EXPECT_EQ(find_listener("", 5432), std::nullopt);
}

TEST(LocalSocketsTest, a_port_of_two_users_is_of_none) {
  const std::string tables =
      std::string(kTables) +
      "   3: 0200007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 1 1\n";
  EXPECT_EQ(find_listener(tables, 5432), std::nullopt);
}

// A directory, a TCP listener of this process, and what may be found there.
class SocketDirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/pgweir-sockets-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory = name;
    ASSERT_EQ(::listen(tcp, 5), 0);  // On a free port.
    sockaddr_in address{};
    socklen_t bytes = sizeof address;
    ASSERT_EQ(::getsockname(tcp, reinterpret_cast<sockaddr*>(&address), &bytes), 0);
    port = ntohs(address.sin_port);
  }
  void TearDown() override {
    ::close(tcp);
    ::close(local);
    std::filesystem::remove_all(directory);
  }
  void bind() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_path(directory, port).copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(local, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  std::vector<std::string> find() {
    return find_socket_directories(port, {"/nowhere", directory, directory + "/."});
  }

  std::string directory;
  int tcp = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int local = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::uint16_t port = 0;
};

TEST_F(SocketDirectoryTest, a_socket_is_found_once) {
  EXPECT_TRUE(find().empty());
  bind();
  EXPECT_EQ(find(), std::vector{directory});
}

TEST_F(SocketDirectoryTest, what_is_no_socket_is_left_alone) {
  std::ofstream(socket_path(directory, port)) << "not a socket";
  EXPECT_TRUE(find().empty());
}

TEST_F(SocketDirectoryTest, a_socket_of_somebody_else_is_left_alone) {
  if (geteuid() != 0) GTEST_SKIP() << "NOT TESTED: only root can give a file away";
  bind();
  ASSERT_EQ(::chown(socket_path(directory, port).c_str(), 12345, 12345), 0);
  EXPECT_TRUE(find().empty());
}

TEST_F(SocketDirectoryTest, a_socket_without_a_tcp_port_beside_it_is_left_alone) {
  bind();
  ::close(std::exchange(tcp, -1));
  EXPECT_TRUE(find().empty());
}

}  // namespace
}  // namespace pgweir::control
