#!/usr/bin/env bash
# Installs what building, running or testing needs and this Debian lacks. Silent when all is there.
#
#   tools/install_dependencies.sh run     what ./run needs: compiler, libraries, PostgreSQL
#   tools/install_dependencies.sh test    that and more for ./test: clang, psycopg, valgrind, npm
set -euo pipefail

run_packages=(
  ccache cmake g++ ninja-build pkg-config
  libboost1.81-dev libc-ares-dev libcli11-dev libfmt-dev libidn-dev libpq-dev libssl-dev
  libsystemd-dev libtomlplusplus-dev libxxhash-dev nlohmann-json3-dev prometheus-cpp-dev
  postgresql-15 postgresql-client-15
)
test_packages=(
  clang clang-format clang-tidy doxygen git libbenchmark-dev libclang-rt-14-dev libcpp-httplib-dev
  libgmock-dev libgtest-dev libpqxx-dev
  libnss-wrapper openssl python3 python3-psycopg shellcheck strace util-linux valgrind
)

fail() {
  echo "install_dependencies: $*" >&2
  exit 1
}

# Prints those of its arguments that are not installed.
missing_of() {
  local present
  present=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' 2>/dev/null |
    sed -n 's/^installed //p')
  printf "%s\n" "$@" | grep -Fxv -f <(echo "$present") || true
}

as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "these Debian packages are missing, and there is neither root nor sudo to install them:
  ${missing[*]}
Ask an administrator to run: apt-get install ${missing[*]}"
  fi
}

# Debian's postgresql-15 would create and start a cluster of its own; we only want the programs.
forbid_main_cluster() {
  local file=/etc/postgresql-common/createcluster.conf
  [[ -e $file ]] && return
  as_root mkdir -p "$(dirname "$file")"
  echo "create_main_cluster = false" | as_root tee "$file" >/dev/null
}

install_missing() {
  command -v apt-get >/dev/null ||
    fail "this is not a Debian (no apt-get); install the likes of these: ${missing[*]}"
  echo "installing ${#missing[@]} Debian packages: ${missing[*]}"
  forbid_main_cluster
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
  as_root "${apt[@]}" update
  as_root "${apt[@]}" install --yes --no-install-recommends \
    -o Dpkg::Options::=--force-confold "${missing[@]}" >/dev/null
}

case ${1:-} in
  run) wanted=("${run_packages[@]}") ;;
  test)
    wanted=("${run_packages[@]}" "${test_packages[@]}")
    # Any npm will do, wherever it is from; it only fetches the Node of the tests.
    command -v npm >/dev/null || wanted+=(npm)
    ;;
  *) fail "say what for: run or test" ;;
esac
mapfile -t missing < <(missing_of "${wanted[@]}")
if [[ ${#missing[@]} -gt 0 ]]; then install_missing; fi
