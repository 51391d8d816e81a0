-- Enough that a statement without LIMIT is felt: 24,000 appointments, some of them today.
insert into users (name, email)
select 'User ' || i, 'user' || i || '@clinic.example' from generate_series(1, 300) i;

insert into doctors (name, speciality)
select 'Doctor ' || i, (array['cardiology', 'dermatology', 'paediatrics'])[1 + i % 3]
from generate_series(1, 10) i;

-- From three weeks ago on, each doctor every half hour.
insert into appointments (doctor_id, user_id, starts_at, reason)
select 1 + i % 10, 1 + i % 300, date_trunc('day', now()) - interval '21 days' + i / 10 * interval '30 minutes',
       'check-up ' || i
from generate_series(0, 23999) i;

insert into appointment_details (appointment_id, position, note)
select id, position, 'note ' || position from appointments, generate_series(1, 2) position;

analyze;
