#include "appointments.h"

#include <chrono>

namespace clinic {
namespace {

using namespace std::chrono_literals;

constexpr auto kStatementMax = 2s;
constexpr std::size_t kUsersPerPage = 50;

// PostgreSQL counts the details: a list of them would be fetched to be counted here.
constexpr const char* kToday =
    "select a.id, a.starts_at::text, u.name, a.reason, count(d.position)"
    "  from appointments a join users u on u.id = a.user_id"
    "  left join appointment_details d on d.appointment_id = a.id"
    " where a.doctor_id = $1 and a.starts_at >= current_date and a.starts_at < current_date + 1"
    " group by a.id, u.name order by a.starts_at limit 100";
constexpr const char* kUpcoming =
    "select a.id, a.starts_at::text, u.name, a.reason, count(d.position)"
    "  from appointments a join users u on u.id = a.user_id"
    "  left join appointment_details d on d.appointment_id = a.id"
    " where a.doctor_id = $1 and a.starts_at >= now()"
    " group by a.id, u.name order by a.starts_at limit 200";

std::vector<Appointment> ask(pgweir::database_pool& db, const pgweir::sql& statement,
                             std::int64_t doctor) {
  // The connection goes back before anything else is done with the rows.
  const pgweir::rows rows =
      db.with_connection([&](pgweir::connection& c) { return c.query(statement, doctor); });
  std::vector<Appointment> appointments;
  for (const Appointment& one : rows.as<Appointment>()) appointments.push_back(one);
  return appointments;
}

}  // namespace

std::vector<Appointment> appointments_of_today(pgweir::database_pool& db, std::int64_t doctor) {
  return ask(db, pgweir::sql(kToday).timeout(kStatementMax), doctor);
}

std::vector<Appointment> upcoming_appointments(pgweir::database_pool& db, std::int64_t doctor) {
  return ask(db, pgweir::sql(kUpcoming).timeout(kStatementMax), doctor);
}

std::int64_t create_appointment(pgweir::database_pool& db, const NewAppointment& wanted) {
  return db.transaction([&](pgweir::transaction& tx) {
    const auto id = tx.query_one<std::int64_t>(
        "insert into appointments (doctor_id, user_id, starts_at, reason)"
        " values ($1, $2, $3::timestamptz, $4) returning id",
        wanted.doctor, wanted.patient, wanted.starts_at, wanted.reason);
    // All details in one statement, and COMMIT in its round trip.
    tx.execute_and_commit(
        "insert into appointment_details (appointment_id, position, note)"
        " select $1, position, note from unnest($2::text[]) with ordinality as d(note, position)",
        id, wanted.details);
    return id;
  });
}

UserPage list_users(pgweir::database_pool& db, std::int64_t behind) {
  const pgweir::page page = db.with_connection([&](pgweir::connection& c) {
    return c.query_page(pgweir::sql("select id, name, email from users where id > $1 order by id")
                            .timeout(kStatementMax),
                        kUsersPerPage, behind);
  });
  UserPage result;
  for (const User& one : page.items.as<User>()) result.users.push_back(one);
  if (page.has_more) result.next = result.users.back().id;
  return result;
}

}  // namespace clinic
