// ScriptedServer: a PostgreSQL for one connection at a time, which does what a test tells it to and
// nothing else. It listens on a Unix socket and lives on the loop of what connects to it, so that
// what one of both has sent is there for the other: nobody waits, save for the loop's clock.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "loop/loop.h"
#include "proxy/options.h"
#include "wire/authentication.h"
#include "wire/frame.h"
#include "wire/reply.h"
#include "wire/report.h"
#include "wire/rows.h"
#include "wire/startup.h"

namespace pgweir::control {

class ScriptedServer {
 public:
  static constexpr int kPid = 4711;

  explicit ScriptedServer(loop::Loop& loop) : loop_(loop) {
    std::string name = "/tmp/pgweir-scripted-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 5), 0);
    loop_.watch(listener_, {.read = true}, [this](loop::Interest) { accept(); });
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer() {
    end();
    loop_.forget(listener_);
    ::close(listener_);
    ::unlink(path().c_str());
    ::rmdir(directory_.c_str());
  }

  proxy::DatabaseOptions database() const {
    proxy::DatabaseOptions database;
    database.name = "postgres";
    database.hosts = {{.host = directory_, .port = kPort, .address = ""}};
    database.user = "app";
    return database;
  }

  // What waits for an answer. A statement comes with the Sync behind it.
  bool is_logging_in() const { return state_ == State::LoggingIn; }
  bool is_asked() const { return state_ == State::Asked; }
  bool has_connection() const { return state_ != State::Alone; }

  void let_in() {
    base::ByteBuffer out;
    wire::encode_authentication_ok(out);
    wire::encode_parameter_status(out, "client_encoding", "UTF8");
    wire::encode_backend_key_data(out, {kPid, base::ByteBuffer(4)});
    finish(out);
  }
  // One column without a type.
  void answer(const std::vector<std::string>& rows) {
    base::ByteBuffer out;
    wire::encode_parse_complete(out);
    wire::encode_bind_complete(out);
    const wire::Column column{"column"};
    wire::encode_row_description(out, {&column, 1});
    for (const std::string& row : rows) {
      const std::optional<std::string_view> value = row;
      wire::encode_data_row(out, {&value, 1});
    }
    wire::encode_command_complete(out, "SELECT");
    finish(out);
  }
  void refuse_statement() {
    base::ByteBuffer out;
    wire::encode_error(out, {.severity = "ERROR", .sqlstate = "42501", .message = "not for you"});
    finish(out);
  }
  // Whatever it is at.
  void end_with(std::string_view sqlstate) {
    base::ByteBuffer out;
    wire::encode_error(
        out, {.severity = "FATAL", .sqlstate = std::string(sqlstate), .message = "that is all"});
    send(out);
    end();
  }
  void end() {
    if (state_ == State::Alone) return;
    state_ = State::Alone;
    loop_.forget(peer_);
    ::close(peer_);
  }
  void say_something() {
    base::ByteBuffer out;
    wire::encode_notice(out, {.severity = "NOTICE", .sqlstate = "00000", .message = "by the way"});
    send(out);
  }
  // From now on it does not see that its client has gone.
  void stop_looking() { loop_.forget(peer_); }

 private:
  enum class State { Alone, Called, LoggingIn, Ready, Asked };
  static constexpr std::uint16_t kPort = 5432;

  std::string path() const { return directory_ + "/.s.PGSQL." + std::to_string(kPort); }

  void accept() {
    if (state_ != State::Alone) return;
    peer_ = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    ASSERT_GE(peer_, 0);
    state_ = State::Called;
    received_.clear();
    loop_.watch(peer_, {.read = true}, [this](loop::Interest) { receive(); });
  }
  void receive() {
    std::array<std::byte, 4096> room;
    const ssize_t count = ::recv(peer_, room.data(), room.size(), 0);
    if (count <= 0) return end();
    base::append(received_, base::Bytes(room).first(static_cast<std::size_t>(count)));
    base::Bytes input = received_;
    if (state_ == State::Called) {
      if (wire::take_first_packet(input).value()) state_ = State::LoggingIn;
    } else {
      while (const auto frame = wire::take_frame(input, 1U << 16U, base::Side::Client).value()) {
        if (frame->type == 'X') return end();
        if (frame->type == 'S') state_ = State::Asked;
      }
    }
    received_.erase(received_.begin(), received_.end() - static_cast<std::ptrdiff_t>(input.size()));
  }
  void finish(base::ByteBuffer& out) {
    wire::encode_ready_for_query(out, 'I');
    state_ = State::Ready;
    send(out);
  }
  void send(const base::ByteBuffer& out) {
    ASSERT_EQ(::send(peer_, out.data(), out.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(out.size()));
  }

  loop::Loop& loop_;
  std::string directory_;
  int listener_ = -1;
  int peer_ = -1;
  State state_ = State::Alone;
  base::ByteBuffer received_;
};

// A loop whose time passes only when the test says so, and a server on it.
struct ScriptedStage {
  static constexpr int kTurns = 16;

  // Until all that was sent has been read and done: each turn is one step of what follows.
  void settle() {
    for (int turn = 0; turn < kTurns; ++turn) loop->turn(now);
  }
  void pass(base::Duration time) {
    now += time;
    settle();
  }

  base::Instant now{std::chrono::hours(1)};
  std::unique_ptr<loop::Loop> loop = std::move(loop::Loop::create([this] { return now; })).value();
  ScriptedServer server{*loop};
};

}  // namespace pgweir::control
