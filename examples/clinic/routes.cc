#include "routes.h"

#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <pgweir/contrib/beast_health.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "appointments.h"

namespace clinic {
namespace {

namespace http = boost::beast::http;
using nlohmann::json;

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc() || at != end) return std::nullopt;
  return number;
}

// What is between the two in the path; nothing when it is another path.
std::optional<std::string_view> between(std::string_view path, std::string_view before,
                                        std::string_view behind) {
  if (!path.starts_with(before) || !path.ends_with(behind)) return std::nullopt;
  if (path.size() < before.size() + behind.size()) return std::nullopt;
  return path.substr(before.size(), path.size() - before.size() - behind.size());
}

json to_json(const Appointment& one) {
  return {{"id", one.id},
          {"startsAt", one.starts_at},
          {"patient", one.patient},
          {"reason", one.reason},
          {"details", one.detail_count}};
}

json to_json(const std::vector<Appointment>& appointments) {
  json list = json::array();
  for (const Appointment& one : appointments) list.push_back(to_json(one));
  return {{"appointments", std::move(list)}};
}

json to_json(const UserPage& page) {
  json list = json::array();
  for (const User& one : page.users) {
    list.push_back({{"id", one.id}, {"name", one.name}, {"email", one.email}});
  }
  json result{{"users", std::move(list)}};
  if (page.next) result["next"] = *page.next;
  return result;
}

// Throws json::exception when that is no appointment.
NewAppointment read_appointment(const std::string& body) {
  const json wanted = json::parse(body);
  return {.doctor = wanted.at("doctor"),
          .patient = wanted.at("patient"),
          .starts_at = wanted.at("startsAt"),
          .reason = wanted.at("reason"),
          .details = wanted.value("details", std::vector<std::string>())};
}

Response refuse(const Request& request, unsigned status, std::string_view why) {
  return make_response(request, status, json{{"error", why}}.dump());
}

// What a client can do about it is said to it; the rest is said to the log.
Response explain(const Request& request, const pgweir::error& failed) {
  using pgweir::sqlstate;
  if (failed.is(sqlstate("23505"))) return refuse(request, 409, "the doctor is taken at that time");
  if (failed.is(sqlstate("23503"))) return refuse(request, 404, "no such doctor or patient");
  if (failed.is(sqlstate("22007")) || failed.is(sqlstate("22008"))) {
    return refuse(request, 400, "startsAt is no time, as in 2030-01-31 14:30+00");
  }
  std::fprintf(stderr, "clinic: %.*s: %s\n", static_cast<int>(request.target().size()),
               request.target().data(), failed.what());
  Response response = refuse(request, 503, "the database is busy or away; try again");
  response.set(http::field::retry_after, "1");
  return response;
}

Response ask(pgweir::database_pool& db, const Request& request) {
  const std::string_view target(request.target().data(), request.target().size());
  const std::string_view path = target.substr(0, target.find('?'));
  const bool is_get = request.method() == http::verb::get;
  if (path == "/api/health") return pgweir::contrib::beast_health(db, request);
  if (path == "/api/appointments" && request.method() == http::verb::post) {
    const std::int64_t id = create_appointment(db, read_appointment(request.body()));
    return make_response(request, 201, json{{"id", id}}.dump());
  }
  if (path == "/api/users" && is_get) {
    const auto behind = between(target, "/api/users?after=", "");
    const auto number = behind ? number_of(*behind) : 0;
    if (!number) return refuse(request, 400, "after is the number of a user");
    return make_response(request, 200, to_json(list_users(db, *number)).dump());
  }
  constexpr std::string_view kDoctors = "/api/doctors/";
  if (auto doctor = between(path, kDoctors, "/appointments/today"); doctor && is_get) {
    const auto number = number_of(*doctor);
    if (!number) return refuse(request, 400, "a doctor is a number");
    return make_response(request, 200, to_json(appointments_of_today(db, *number)).dump());
  }
  if (auto doctor = between(path, kDoctors, "/appointments/upcoming"); doctor && is_get) {
    const auto number = number_of(*doctor);
    if (!number) return refuse(request, 400, "a doctor is a number");
    return make_response(request, 200, to_json(upcoming_appointments(db, *number)).dump());
  }
  return refuse(request, 404, "there is nothing here; examples/clinic/README.md has the paths");
}

}  // namespace

Response make_response(const Request& request, unsigned status, std::string json) {
  Response response(static_cast<http::status>(status), request.version());
  response.set(http::field::content_type, "application/json");
  response.body() = std::move(json);
  return response;
}

Response respond(pgweir::database_pool& db, const Request& request) {
  try {
    return ask(db, request);
  } catch (const pgweir::error& failed) {
    return explain(request, failed);
  } catch (const json::exception&) {
    return refuse(request, 400,
                  R"(an appointment is {"doctor":1,"patient":2,"startsAt":"…","reason":"…"})");
  }
}

}  // namespace clinic
