-- What the clinic keeps. Each list that the service shows has the index that its query walks.
create table users (
  id bigint generated always as identity primary key,
  name text not null,
  email text not null unique
);

create table doctors (
  id bigint generated always as identity primary key,
  name text not null,
  speciality text not null
);

create table appointments (
  id bigint generated always as identity primary key,
  doctor_id bigint not null references doctors,
  user_id bigint not null references users,
  starts_at timestamptz not null,
  reason text not null,
  unique (doctor_id, starts_at)
);

create table appointment_details (
  appointment_id bigint not null references appointments on delete cascade,
  position int not null,
  note text not null,
  primary key (appointment_id, position)
);
