#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "config/effective.h"
#include "config/nearest_name.h"

extern "C" char** environ;

namespace pgweir::cli {
namespace {

constexpr int kUsage = 2;

base::Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return base::Error{
        .code = base::ErrorCode::Configuration,
        .side = base::Side::Self,
        .context = fmt::format("cannot read \"{}\": {}", path, std::strerror(errno))};
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void add_options(CLI::App& app, CommandLine& line, std::string& listen, std::string& http) {
  app.add_option("--config", line.config_file,
                 "pgweir.toml, or a pgbouncer.ini (by its ending .ini)");
  app.add_option("--listen", listen, "where clients connect, as ADDR:PORT [127.0.0.1:6432]");
  app.add_option("--http", http, "where health and metrics are, as ADDR:PORT [127.0.0.1:6433]");
}

// What nothing of ours is called, and what it may have been meant to be.
std::string describe_surplus(const CLI::App& app) {
  // CLI11 keeps what it did not understand, the last word first.
  const std::vector<std::string> words = app.remaining(true);
  std::string surplus;
  for (const std::string& word : words) {
    if (surplus.empty() || word.starts_with('-')) surplus = word;
  }
  const bool is_option = surplus.starts_with('-');
  const bool has_command = !app.get_subcommands().empty();
  if (!is_option && has_command) return "unexpected word " + surplus;
  std::vector<std::string_view> names;
  if (is_option) {
    names = {"--config", "--listen", "--http", "--help", "--help-config", "--version"};
  } else {
    names = {"serve", "check", "config"};
  }
  const std::string_view near = config::nearest_name(surplus, names);
  return fmt::format("unknown {} {}{}", is_option ? "option" : "command", surplus,
                     near.empty() ? "" : fmt::format("; did you mean {}?", near));
}

ParsedLine refuse(const std::string& problem) {
  fmt::print(stderr, "pgweir: {}\nTry pgweir --help.\n", problem);
  return {.line = std::nullopt, .exit_status = kUsage};
}

}  // namespace

ParsedLine parse_command_line(int argc, const char* const* argv) {
  CommandLine line;
  std::string listen;
  std::string http;
  bool wants_settings = false;
  CLI::App app(
      "pgweir keeps a PostgreSQL server from running out of connections.\n"
      "DATABASE_URL in the environment is all that it needs.",
      "pgweir");
  app.set_version_flag("--version", std::string("pgweir ") + PGWEIR_VERSION);
  app.add_flag("--help-config", wants_settings, "list every setting with its default and meaning");
  app.require_subcommand(0, 1);
  CLI::App* serve = app.add_subcommand("serve", "serve clients until a signal ends it");
  CLI::App* check = app.add_subcommand(
      "check", "connect to every database, show what was found and what follows from it");
  CLI::App* show = app.add_subcommand(
      "config", "show the configuration in effect and where each value comes from");
  for (CLI::App* command : {serve, check, show}) add_options(*command, line, listen, http);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return {.line = std::nullopt, .exit_status = app.exit(success)};
  } catch (const CLI::ExtrasError&) {
    return refuse(describe_surplus(app));
  } catch (const CLI::ParseError& error) {
    return refuse(error.what());
  }
  if (wants_settings) {
    fmt::print("{}", config::render_settings_help());
    return {};
  }
  if (app.get_subcommands().empty()) {
    fmt::print(stderr, "{}", app.help());
    return {.line = std::nullopt, .exit_status = kUsage};
  }
  line.command = check->parsed()  ? Command::Check
                 : show->parsed() ? Command::Config
                                  : Command::Serve;
  if (!listen.empty()) line.options.emplace_back("listen", listen);
  if (!http.empty()) line.options.emplace_back("http", http);
  return {.line = std::move(line)};
}

config::LoadResult load_configuration(const CommandLine& line) {
  config::Sources sources;
  sources.options = line.options;
  sources.reader = read_file;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view pair = *at;
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = pair.substr(0, equals);
    if (name == "DATABASE_URL") sources.database_url = pair.substr(equals + 1);
    if (name.starts_with("PGWEIR_"))
      sources.environment.emplace_back(name, pair.substr(equals + 1));
  }
  if (!line.config_file.empty()) {
    auto contents = read_file(line.config_file);
    if (!contents) {
      config::LoadResult failed;
      failed.mistakes.push_back(
          {.place = {.source = "--config"}, .key = {}, .what = contents.error().context});
      return failed;
    }
    sources.file = config::ConfigFile{.path = line.config_file, .contents = std::move(*contents)};
  }
  return config::load(sources);
}

}  // namespace pgweir::cli
