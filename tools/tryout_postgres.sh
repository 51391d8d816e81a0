#!/usr/bin/env bash
# Starts the private PostgreSQL of ./run and prints its URL. The cluster is made on the first call
# and kept. It listens on loopback and in its own directory, wants SCRAM, and has 20 connections.
# It stops when the process OWNER_PID ends, however that ends.
#
#   tools/tryout_postgres.sh STATE_DIRECTORY OWNER_PID
set -euo pipefail

state=$(realpath --no-symlinks "$1")
owner_pid=$2
programs=/usr/lib/postgresql/15/bin

fail() {
  echo "tryout_postgres: $*" >&2
  exit 1
}

# PostgreSQL refuses to run as root; Debian's package made a user for it.
as_owner() {
  if [[ $EUID -eq 0 ]]; then runuser -u postgres -- "$@"; else "$@"; fi
}

# Where the cluster lives: below the state directory, unless root keeps that where nobody can go.
choose_home() {
  mkdir -p "$state"
  home=$state/postgres
  if [[ $EUID -eq 0 ]]; then
    chmod 711 "$state"
    as_owner test -x "$state" || home=/var/lib/postgresql/pgweir-tryout
  fi
  mkdir -p "$home"
  if [[ $EUID -eq 0 ]]; then chown postgres: "$home"; fi
  chmod 700 "$home"
}

# One ./run at a time; the one before may still be stopping its server.
take_lock() {
  exec 9>"$state/lock"
  flock --timeout 15 9 || fail "another ./run is using the try-out PostgreSQL in $state"
}

# Makes the cluster aside and renames it, so that a half-made one is never taken for whole.
make_cluster() {
  local new=$home/data.new
  password=$(head --bytes 18 /dev/urandom | base64 | tr '+/' '-_')
  as_owner rm -rf "$new"
  as_owner "$programs/initdb" --pgdata "$new" --username postgres --auth trust --encoding UTF8 \
    --locale C.UTF-8 --no-instructions >/dev/null
  as_owner "$programs/postgres" --single -D "$new" -c log_checkpoints=off postgres >/dev/null <<SQL
CREATE ROLE app LOGIN CREATEDB PASSWORD '$password'
CREATE DATABASE app OWNER app
SQL
  as_owner tee "$new/pg_hba.conf" >/dev/null <<HBA
local all all               scram-sha-256
host  all all 127.0.0.1/32  scram-sha-256
HBA
  as_owner tee -a "$new/postgresql.conf" >/dev/null <<CONF
max_connections = 20
listen_addresses = '127.0.0.1'
unix_socket_directories = '$(socket_directory)'
CONF
  echo "$password" | as_owner tee "$home/password" >/dev/null
  as_owner chmod 600 "$home/password"
  as_owner mv "$new" "$home/data"
}

# The path of a socket has to fit into 107 bytes; a deep tree does without.
socket_directory() {
  if [[ ${#home} -le 85 ]]; then echo "$home"; fi
}

choose_port() {
  for port in $(cat "$home/port" 2>/dev/null) $(shuf --input-range 20000-30000 --head-count 50); do
    if ! (exec 8<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port" | as_owner tee "$home/port" >/dev/null
      return
    fi
  done
  fail "found no free port between 20000 and 30000"
}

# Stops the server once the owner is gone. It holds the lock until then, and has a session of its
# own, so that a Ctrl-C meant for pgweir does not reach it.
watch_owner() {
  local stop=("$programs/pg_ctl" stop --pgdata "$home/data" --mode fast --silent)
  if [[ $EUID -eq 0 ]]; then stop=(runuser -u postgres -- "${stop[@]}"); fi
  # shellcheck disable=SC2016  # The inner shell expands.
  setsid --fork bash -c 'tail --sleep-interval 0.2 --pid "$0" --follow /dev/null; "$@"' \
    "$owner_pid" "${stop[@]}" </dev/null >/dev/null 2>&1
}

start_server() {
  as_owner "$programs/pg_ctl" start --pgdata "$home/data" --log "$home/log" --silent --wait \
    --options "-p $port" </dev/null >/dev/null 2>&1 9>&- ||
    fail "it does not start; see $home/log"
}

cd /
choose_home
take_lock
[[ -d $home/data ]] || make_cluster
password=$(<"$home/password")
if as_owner "$programs/pg_ctl" status --pgdata "$home/data" >/dev/null 2>&1; then
  port=$(<"$home/port")  # Left behind by a ./run whose watcher was killed.
else
  choose_port
  start_server
fi
watch_owner
echo "postgresql://app:$password@127.0.0.1:$port/app"
