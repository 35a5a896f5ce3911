# shellcheck shell=bash
# jobs/run and tests/run source this file. It builds a fresh clone on a bare Debian.
#
# prepare PRESET [TARGET...] installs missing packages, configures and builds. It writes to stderr only and reads no input. It
# prints nothing if the build is up to date. Calls in one clone wait for each other. A failure ends the script with status 2.
# RANKPOOL_CMAKE_ARGS adds options to the configuration, for example "-DRANKPOOL_WERROR=ON". If ccache is installed, new build trees
# use it, and clones share its cache. New build trees compile several sources at once, which reduces the build time by a third.

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)

# The Debian packages of everything that find_package, pkg_check_modules and find_program look for in the CMakeLists.txt files.
packages=(
  g++ cmake ninja-build pkg-config
  libopenmpi-dev openmpi-bin libboost-mpi-dev libboost-serialization-dev libgmp-dev libsqlitecpp-dev libxxhash-dev
  libcli11-dev nlohmann-json3-dev libkainjow-mustache-dev libprimesieve-dev libflint-dev libopenblas-dev libpng-dev libjpeg-dev zlib1g-dev libhwy-dev
  catch2 python3 python3-pytest
)

export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$root} CCACHE_NOHASHDIR=1
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros,include_file_mtime,include_file_ctime}

say() { printf 'rankpool: %s\n' "$*" >&2; }
die() { say "$*"; exit 2; }

install_missing() {
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || return 0  # not Debian: CMake reports missing libraries
  local package missing=() installed
  installed=" $(dpkg-query -W -f '${db:Status-Status}=${Package} ' "${packages[@]}" 2>/dev/null)"
  for package in "${packages[@]}"; do
    [[ $installed == *" installed=$package "* ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0

  local as_root=()
  if ((EUID)); then
    command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 2 ]]; } ||
      die "packages are missing, and only root can install them: run 'apt-get install ${missing[*]}' as root"
    as_root=(sudo)
  fi
  say "installing missing packages with apt-get: ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -qy -o DPkg::Lock::Timeout=600)
  local log attempt=0 deadline=$((SECONDS + 600))
  log=$(mktemp)
  # The package lists may be absent or out of date, or another process may be updating them.
  until "${apt[@]}" install --no-install-recommends "${missing[@]}" </dev/null >"$log" 2>&1; do
    if ((++attempt > 3)); then
      grep -E '^(E|W|Err):?' "$log" >&2
      rm -f "$log"
      die "apt-get failed to install ${missing[*]}: see the messages above"
    fi
    ((attempt == 1)) || sleep 5
    until "${apt[@]}" update </dev/null >"$log" 2>&1 || ! grep -q 'Could not get lock' "$log" || ((SECONDS > deadline)); do
      sleep 2
    done
  done
  rm -f "$log"
}

configure() {  # PRESET
  local tree=$root/build/$1 log=$root/build/$1-configure.log fresh=() launcher=() unity=()
  [[ -e $tree/CMakeCache.txt || $1 == thread ]] || unity=(-DCMAKE_UNITY_BUILD=ON)  # the build `thread` checks that each source compiles alone
  ! command -v ccache >/dev/null || launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  if [[ -e $tree/CMakeCache.txt ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$tree/CMakeCache.txt"; then
    fresh=(--fresh)  # the clone was moved or copied with its build tree
  elif [[ $tree/build.ninja -nt $root/CMakePresets.json && -z ${RANKPOOL_CMAKE_ARGS:-} ]]; then
    return 0  # ninja detects changes in the CMakeLists.txt files
  fi
  # shellcheck disable=SC2086  # several options, split at spaces
  (cd "$root" && cmake --preset "$1" "${fresh[@]}" "${launcher[@]}" "${unity[@]}" ${RANKPOOL_CMAKE_ARGS:-}) </dev/null >"$log" 2>&1 || {
    cat "$log" >&2
    die "configuring build/$1 failed: see the messages above"
  }
}

build() {  # PRESET [TARGET...]
  local tree=$root/build/$1 log=$root/build/$1-build.log line started=$SECONDS steps='' status
  local cores memory_gb
  cores=$(nproc)
  memory_gb=$(awk '/^MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
  ((cores <= memory_gb)) || cores=$((memory_gb > 1 ? memory_gb : 1))  # one compilation needs up to 1 GB
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
    die "building build/$1 failed: see the messages above"
  }
  [[ -z $steps ]] || say "built $1 in $((SECONDS - started)) s"
}

prepare() {  # PRESET [TARGET...]
  mkdir -p "$root/build" 2>/dev/null && : 2>/dev/null >>"$root/build/lock" ||
    die "cannot write to '$root/build': use a clone in a folder that you can write to"
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
