// PrivatePostgres: a PostgreSQL of the test's own: a fresh cluster in a temporary directory, on a
// free port of the loopback and a Unix socket, with SCRAM passwords. It ends with the object, and
// with the test's process should that die. Nothing in it survives: fsync is off.
//
//   PrivatePostgres postgres({.connection_count_max = 20});
//   if (!postgres.is_installed()) GTEST_SKIP() << PrivatePostgres::kNotInstalled;
//   postgres.start();
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace pgweir::tests {

struct PrivatePostgresOptions {
  int connection_count_max = 20;
  bool has_tls = false;                    // With a certificate that nobody signed.
  std::vector<std::string> settings = {};  // "log_connections=on", …
};

class PrivatePostgres {
 public:
  static constexpr std::string_view kNotInstalled =
      "NOT TESTED: no PostgreSQL server is installed (apt-get install postgresql-15)";
  static constexpr std::string_view kUser = "postgres";       // A superuser …
  static constexpr std::string_view kPassword = "swordfish";  // … and its password.

  explicit PrivatePostgres(PrivatePostgresOptions options = {}) : options_(std::move(options)) {
    for (const char* version : {"18", "17", "16", "15", "14"}) {
      const std::string bin = std::string("/usr/lib/postgresql/") + version + "/bin";
      if (bin_.empty() && access((bin + "/postgres").c_str(), X_OK) == 0) bin_ = bin;
    }
  }
  PrivatePostgres(const PrivatePostgres&) = delete;
  PrivatePostgres& operator=(const PrivatePostgres&) = delete;
  ~PrivatePostgres() {
    stop();
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
    if (port_holder_ >= 0) close(port_holder_);
  }

  bool is_installed() const { return !bin_.empty(); }

  // Makes the cluster at the first call; returns once it takes connections, false when it failed
  // (log() says why).
  bool start() {
    if (directory_.empty() && !make_cluster()) return false;
    if (port_ == 0) port_ = free_port();
    std::vector<std::string> command{bin_ + "/postgres",   "-D", data(), "-k", directory_, "-p",
                                     std::to_string(port_)};
    for (const std::string& setting : all_settings()) {
      command.emplace_back("-c");
      command.push_back(setting);
    }
    postmaster_ = spawn(command);
    return wait_until_ready();
  }
  // Ends it like `pg_ctl stop -m immediate`: every connection is cut.
  void stop() { end(SIGQUIT); }
  // Like `pg_ctl stop -m fast`: clients get 57P01.
  void stop_fast() { end(SIGINT); }

  // All its processes stand still as if the machine did, until thaw() or the end.
  void freeze() {
    if (postmaster_ <= 0) return;
    freeze_one(postmaster_);  // First: then there are no new ones.
    for (const pid_t child : children()) freeze_one(child);
  }
  void thaw() {
    for (; !frozen_.empty(); frozen_.pop_back()) kill(frozen_.back(), SIGCONT);
  }

  std::uint16_t port() const { return port_; }
  const std::string& socket_directory() const { return directory_; }
  std::string url(std::string_view database = "postgres") const {
    return "postgresql://" + std::string(kUser) + ":" + std::string(kPassword) +
           "@127.0.0.1:" + std::to_string(port_) + "/" + std::string(database);
  }
  std::string log() const {
    std::ifstream file(directory_ + "/log");
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::string data() const { return directory_ + "/data"; }

  std::vector<std::string> all_settings() const {
    std::vector<std::string> settings{
        "listen_addresses=127.0.0.1", "fsync=off",
        "max_connections=" + std::to_string(options_.connection_count_max)};
    if (options_.has_tls) settings.emplace_back("ssl=on");
    settings.insert(settings.end(), options_.settings.begin(), options_.settings.end());
    return settings;
  }

  bool make_cluster() {
    std::string name = (std::filesystem::temp_directory_path() / "pgweir-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) return false;
    directory_ = name;
    std::ofstream(directory_ + "/password") << kPassword << "\n";
    if (const passwd* owner = other_user(); owner != nullptr) {
      if (chown(directory_.c_str(), owner->pw_uid, owner->pw_gid) != 0) return false;
    }
    const pid_t initdb = spawn({bin_ + "/initdb", "-D", data(), "-U", std::string(kUser), "-A",
                                "scram-sha-256", "--pwfile=" + directory_ + "/password",
                                "--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C"});
    return has_succeeded(initdb) && (!options_.has_tls || make_certificate());
  }

  bool make_certificate() const {
    return has_succeeded(spawn({"/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                                "-subj", "/CN=localhost", "-keyout", data() + "/server.key", "-out",
                                data() + "/server.crt"})) &&
           chmod((data() + "/server.key").c_str(), 0600) == 0;
  }

  static bool has_succeeded(pid_t child) {
    int status = 1;
    return waitpid(child, &status, 0) == child && status == 0;
  }

  // PostgreSQL does not run as root: then it runs as the package's user.
  static const passwd* other_user() { return geteuid() == 0 ? getpwnam("postgres") : nullptr; }

  pid_t spawn(const std::vector<std::string>& command) const {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const passwd* user = other_user();
    const std::string log_path = directory_ + "/log";
    const pid_t child = fork();
    if (child != 0) return child;
    if (user != nullptr && (initgroups(user->pw_name, user->pw_gid) != 0 ||
                            setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
      _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    const int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, 0);
    dup2(log, 1);
    dup2(log, 2);
    if (chdir(directory_.c_str()) != 0) _exit(126);
    execv(arguments[0], arguments.data());
    _exit(127);
  }

  // As pg_ctl does: the last line of postmaster.pid says when connections are taken.
  bool wait_until_ready() {
    for (int tries = 0; tries < 3000; ++tries) {
      int status = 0;
      if (waitpid(postmaster_, &status, WNOHANG) == postmaster_) {
        postmaster_ = -1;
        return false;
      }
      std::ifstream file(data() + "/postmaster.pid");
      for (std::string line; std::getline(file, line);)
        if (line.starts_with("ready")) return true;
      poll(nullptr, 0, 10);
    }
    return false;
  }

  // The state and the parent, as proc(5) has them: "4711 (postgres) S 4710 …".
  static std::pair<char, pid_t> look_up(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string line;
    std::getline(file, line);
    std::istringstream rest(line.substr(std::min(line.rfind(')') + 1, line.size())));
    char state = 'X';
    pid_t parent = 0;
    rest >> state >> parent;
    return {state, parent};
  }

  std::vector<pid_t> children() const {
    std::vector<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const pid_t process = std::atoi(entry.path().filename().c_str());
      if (process > 0 && look_up(process).second == postmaster_) found.push_back(process);
    }
    return found;
  }

  // Returns when it stands still, or has ended.
  void freeze_one(pid_t process) {
    if (kill(process, SIGSTOP) != 0) return;
    frozen_.push_back(process);
    for (char state = 'S'; state != 'T' && state != 'Z' && state != 'X';)
      state = look_up(process).first;
  }

  void end(int signal) {
    thaw();
    if (postmaster_ <= 0) return;
    kill(postmaster_, signal);
    waitpid(postmaster_, nullptr, 0);
    postmaster_ = -1;
  }

  // As free_port() of tests/e2e/support/ports.py: below the ports of outgoing connections, and
  // nobody else's while the socket that stands for it is open.
  std::uint16_t free_port() {
    constexpr std::uint16_t kFirst = 10000;
    std::uint16_t first_ephemeral = 0;
    std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first_ephemeral;
    std::uniform_int_distribution<int> any(kFirst, std::max(first_ephemeral - 1, kFirst + 1000));
    std::random_device random;
    while (true) {
      const auto port = static_cast<std::uint16_t>(any(random));
      if (hold_port(port) && is_free(port)) return port;
      close(std::exchange(port_holder_, -1));
    }
  }

  bool hold_port(std::uint16_t port) {
    port_holder_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const std::string name = std::string(1, '\0') + "pgweir-test-port-" + std::to_string(port);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), address.sun_path);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    return bind(port_holder_, reinterpret_cast<sockaddr*>(&address), size) == 0;
  }

  static bool is_free(std::uint16_t port) {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int reuse = 1;  // As PostgreSQL does.
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool is_bound =
        bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(descriptor);
    return is_bound;
  }

  PrivatePostgresOptions options_;
  std::string bin_;
  std::string directory_;
  std::uint16_t port_ = 0;
  pid_t postmaster_ = -1;
  std::vector<pid_t> frozen_;
  int port_holder_ = -1;
};

}  // namespace pgweir::tests
