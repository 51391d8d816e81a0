// The clinic: a small HTTP service over libpgweir. README.md is a tour of it.
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <exception>
#include <future>
#include <iostream>
#include <pgweir/pgweir.hpp>
#include <string_view>

#include "http_server.h"
#include "mistakes.h"
#include "routes.h"

namespace {

struct Arguments {
  clinic::ServerOptions server;
  bool is_broken = false;
};

bool read_arguments(int count, char** words, Arguments& to) {
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--broken") {
      to.is_broken = true;
    } else if (word == "--port" && i + 1 < count) {
      const std::string_view number = words[++i];
      const char* const end = number.data() + number.size();
      if (std::from_chars(number.data(), end, to.server.port).ptr != end) return false;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int count, char** words) {
  Arguments arguments;
  if (!read_arguments(count, words, arguments)) {
    std::cerr << "usage: clinic [--port NUMBER] [--broken]    DATABASE_URL names the database\n";
    return 2;
  }
  try {
    pgweir::database_pool& db = pgweir::database();
    std::atomic<bool> stops = false;
    std::promise<void> served;
    // SIGINT and SIGTERM: what has been asked is answered, and then the pool is shut down.
    const pgweir::shutdown_guard guard(db, {.on_signal = [&](int) {
                                         stops = true;
                                         served.get_future().wait();
                                       }});
    const auto respond = [&](const clinic::Request& request) {
      return arguments.is_broken ? clinic::respond_badly(request) : clinic::respond(db, request);
    };
    clinic::serve(arguments.server, respond, stops, [](std::uint16_t port) {
      std::cout << "clinic: http://127.0.0.1:" << port << "/api/health" << std::endl;
    });
    served.set_value();
    // Until the guard raises the signal again, so that whoever sent it sees that it was heeded.
    while (true) ::pause();
  } catch (const std::exception& failed) {
    std::cerr << "clinic: " << failed.what() << '\n';
    return 1;
  }
}
