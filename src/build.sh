# shellcheck shell=bash
# Sourced by jobs/run and tests/run: from a fresh clone on a bare Debian to a build that is up to date.
#
# prepare PRESET [TARGET...] installs what is missing, configures and builds; it writes to stderr only, reads no input, and says
# nothing when there is nothing to do. Calls in one clone wait for each other. A failure ends the script with status 2.
# RANKPOOL_CMAKE_ARGS adds options to the configuration, for instance "-DRANKPOOL_WERROR=ON".

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)

# Everything that find_package and pkg_check_modules ask for in the CMakeLists.txt files, as Debian names it.
packages=(
  g++ cmake ninja-build pkg-config
  libopenmpi-dev openmpi-bin libboost-mpi-dev libboost-serialization-dev libgmp-dev libsqlitecpp-dev libxxhash-dev
  libcli11-dev nlohmann-json3-dev libprimesieve-dev libopenblas-dev libpng-dev libjpeg-dev zlib1g-dev libhwy-dev
  catch2
)

say() { printf 'rankpool: %s\n' "$*" >&2; }
die() { say "$*"; exit 2; }

install_missing() {
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || return 0  # not Debian: the configuration says what is missing
  local package missing=() installed
  installed=" $(dpkg-query -W -f '${db:Status-Status}=${Package} ' "${packages[@]}" 2>/dev/null)"
  for package in "${packages[@]}"; do
    [[ $installed == *" installed=$package "* ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0

  local as_root=()
  if ((EUID)); then
    command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 2 ]]; } ||
      die "needs packages that only root may install; ask for: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing with apt-get what the build needs: ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -qy -o DPkg::Lock::Timeout=600)
  local log attempt=0 deadline=$((SECONDS + 600))
  log=$(mktemp)
  # The package lists may be absent or out of date, or just being renewed by someone else.
  until "${apt[@]}" install --no-install-recommends "${missing[@]}" </dev/null >"$log" 2>&1; do
    if ((++attempt > 3)); then
      grep -E '^(E|W|Err):?' "$log" >&2
      rm -f "$log"
      die "apt-get could not install: ${missing[*]}"
    fi
    ((attempt == 1)) || sleep 5
    until "${apt[@]}" update </dev/null >"$log" 2>&1 || ! grep -q 'Could not get lock' "$log" || ((SECONDS > deadline)); do
      sleep 2
    done
  done
  rm -f "$log"
}

configure() {  # PRESET
  local tree=$root/build/$1 log=$root/build/$1-configure.log fresh=()
  if [[ -e $tree/CMakeCache.txt ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$tree/CMakeCache.txt"; then
    fresh=(--fresh)  # the clone was moved or copied together with its build
  elif [[ $tree/build.ninja -nt $root/CMakePresets.json && -z ${RANKPOOL_CMAKE_ARGS:-} ]]; then
    return 0  # ninja itself sees changes in the CMakeLists.txt files
  fi
  # shellcheck disable=SC2086  # several options, split at spaces
  (cd "$root" && cmake --preset "$1" "${fresh[@]}" ${RANKPOOL_CMAKE_ARGS:-}) </dev/null >"$log" 2>&1 || {
    cat "$log" >&2
    die "the configuration of build/$1 failed, as shown above"
  }
}

build() {  # PRESET [TARGET...]
  local tree=$root/build/$1 log=$root/build/$1-build.log line started=$SECONDS steps='' status
  local cores memory_gb
  cores=$(nproc)
  memory_gb=$(awk '/^MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
  ((cores <= memory_gb)) || cores=$((memory_gb > 1 ? memory_gb : 1))  # a compilation takes up to 1 GB
  while IFS= read -r line; do
    printf '%s\n' "$line"
    [[ $line =~ ^\[([1-9][0-9]*)/([0-9]+)\] && $line != *"Re-running CMake"* ]] || continue
    if [[ -t 2 ]]; then
      printf '\r\e[Krankpool: building %s, %s of %s' "$1" "${BASH_REMATCH[@]:1}" >&2
    elif [[ -z $steps ]]; then
      say "building $1, ${BASH_REMATCH[2]} steps on $cores cores"
    fi
    steps=${BASH_REMATCH[2]}
  done < <(NINJA_STATUS='[%f/%t] ' ninja -C "$tree" -j "$cores" "${@:2}" </dev/null 2>&1; echo "status $?") >"$log"
  [[ -z $steps || ! -t 2 ]] || printf '\r\e[K' >&2
  status=$(tail -n 1 "$log")
  [[ $status == 'status 0' ]] || {
    grep -vE '^\[[0-9]+/[0-9]+\] |^ninja: (Entering|build stopped)|^status ' "$log" >&2
    die "the build of build/$1 failed, as shown above"
  }
  [[ -z $steps ]] || say "built $1 in $((SECONDS - started)) s"
}

prepare() {  # PRESET [TARGET...]
  mkdir -p "$root/build" 2>/dev/null && : 2>/dev/null >>"$root/build/lock" ||
    die "cannot write to $root/build: use a clone in a folder of your own"
  local lock
  exec {lock}>>"$root/build/lock"
  if ! flock -n "$lock"; then
    say "waiting for another build in $root"
    flock "$lock"
  fi
  install_missing
  configure "$1"
  build "$@"
  exec {lock}>&-
}
