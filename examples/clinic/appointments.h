// appointments: what the clinic's service asks its database, each question bounded: by LIMIT, by a
// timeout, by the one connection that it needs. It knows nothing of HTTP.
#pragma once

#include <cstdint>
#include <optional>
#include <pgweir/pgweir.hpp>
#include <string>
#include <vector>

namespace clinic {

struct Appointment {
  std::int64_t id;
  std::string starts_at;  // As PostgreSQL writes it.
  std::string patient;
  std::string reason;
  std::int64_t detail_count;
};

struct User {
  std::int64_t id;
  std::string name;
  std::string email;
};

struct NewAppointment {
  std::int64_t doctor = 0;
  std::int64_t patient = 0;
  std::string starts_at;  // As PostgreSQL reads it: "2030-01-31 14:30+00".
  std::string reason;
  std::vector<std::string> details;
};

// At most 100, the earliest first.
std::vector<Appointment> appointments_of_today(pgweir::database_pool& db, std::int64_t doctor);
// At most 200, from now on.
std::vector<Appointment> upcoming_appointments(pgweir::database_pool& db, std::int64_t doctor);
// With its details, or not at all. Its id. Errors: 23505 (the doctor has one at that time), 23503
// (there is no such doctor or patient), 22007 (that is no time).
std::int64_t create_appointment(pgweir::database_pool& db, const NewAppointment& wanted);

struct UserPage {
  std::vector<User> users;
  std::optional<std::int64_t> next;  // Where the next page begins, if there is one.
};
// Those behind that id, at most 50.
UserPage list_users(pgweir::database_pool& db, std::int64_t behind);

}  // namespace clinic
