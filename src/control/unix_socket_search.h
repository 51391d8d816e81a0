// UnixSocketSearch: whether the server that the service connection has reached over TCP can be
// reached over a Unix socket as well. It asks the server who it is, opens a connection to each
// socket that may be its own, as the same user and inside the limit, asks the same there, and hangs
// up. What it finds holds as long as the service connection, while the postmaster cannot have
// changed (docs/decisions/0012). It uses no socket itself: proxy::ServerLogin does.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/borrow.h"
#include "control/dial.h"
#include "control/local_sockets.h"

namespace pgweir::control {

// What became known of the server at this IP address and port.
struct UnixSocketNews {
  std::string address;
  std::uint16_t port = 0;
  std::string path;     // The socket that leads there; empty: none, or none any more.
  std::string problem;  // Why none will be used as long as the process lives; empty otherwise.
};

struct UnixSocketSearchOptions {
  std::string application_name;
  proxy::DatabaseOptions database;
  std::vector<std::string> directories = usual_socket_directories();
};

// Called from the loop's turn; none destroys the search.
struct UnixSocketSearchCallbacks {
  // Ends a connection of the search's and gives its permit back when its end has been seen.
  std::function<void(std::unique_ptr<PostgresConnection>)> hang_up;
  std::function<void(const UnixSocketNews&)> told;
};

class UnixSocketSearch {
 public:
  // permits: what connections of its own are counted with. All that is borrowed outlives it.
  UnixSocketSearch(loop::Loop& loop, Resolver& resolver, PermitSource& permits,
                   UnixSocketSearchOptions options, UnixSocketSearchCallbacks callbacks);
  UnixSocketSearch(const UnixSocketSearch&) = delete;
  UnixSocketSearch& operator=(const UnixSocketSearch&) = delete;
  // What it has open is hung up.
  ~UnixSocketSearch() { abandon(); }

  // Whether there is something to be found out over this connection: then a permit is taken.
  bool is_due(const PostgresConnection& over_tcp);
  // To be asked over it.
  static Statement question();
  // Its answer, or that the server refused it. Calls `done` when the sockets have been tried.
  // REQUIRES: is_due().
  void begin(const Answer& answer, std::function<void()> done);
  // The connection ends, and with it the proof.
  void handle_left();

 private:
  void look(const PostgresConnection& over_tcp);
  void try_next();
  void handle_dialled(std::unique_ptr<PostgresConnection> connection,
                      std::optional<insight::Failure> failure);
  void handle_answer(const Answer& answer);
  void handle_failed(const insight::Failure& failure);
  void find(std::string path);
  void give_up(std::string problem);
  void finish();
  void hang_up(std::unique_ptr<PostgresConnection> connection);
  void give_back();
  void abandon();

  loop::Loop& loop_;
  Resolver& resolver_;
  PermitSource& permits_;
  const UnixSocketSearchOptions options_;
  const UnixSocketSearchCallbacks callbacks_;
  bool has_looked_ = false;               // Over the present service connection.
  bool is_given_up_ = false;              // For good.
  bool has_permit_ = false;               // That is no connection's which is being hung up.
  UnixSocketNews server_;                 // Whom it is about; `path`: what holds now.
  std::vector<std::string> directories_;  // Still to be tried, the next one last.
  std::string directory_;                 // The one that is being tried.
  Row identity_;                          // What the server said over TCP.
  std::string problem_;                   // Of the last socket that did not do.
  std::function<void()> done_;
  std::unique_ptr<Dial> dial_;
  std::unique_ptr<PostgresConnection> connection_;
};

}  // namespace pgweir::control
