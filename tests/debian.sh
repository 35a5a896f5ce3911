#!/usr/bin/env bash
# tests/debian.sh [--folder DIR] RELEASE [COMMAND [ARGUMENT...]]: builds and tests the last commit on a bare Debian of that release.
#
# Installs a minimal Debian (`trixie`, `bookworm`, `sid`) into a folder, clones the project into it, and runs there the two commands
# of README.md for a fresh machine: `jobs/run factorials`, then `tests/run`. With a COMMAND, runs only that command in the clone.
#
#   --folder DIR  use the Debian in DIR, or install it there, and keep it with the builds of the clone.
#                 By default, the Debian is under $TMPDIR or /var/tmp, takes 8 GB, and is removed at the end.
#
# Requires root and debootstrap. Uses the mirror and the proxy of this machine's apt, and passes RANKPOOL_CMAKE_ARGS to the commands.
# The commands run in their own namespaces: mounts and processes end with the script. The status is 0 if all commands succeed.
set -u
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../src/build.sh"

usage() { sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }

folder=''
if [[ ${1:-} == --folder ]]; then
  (($# > 2)) || usage
  folder=$2
  shift 2
fi
[[ ${1:-} == [a-z]* ]] || usage
release=$1
shift

((EUID == 0)) || die "tests/debian.sh: only root can install Debian in a folder"
packages=(debootstrap git)
install_missing
type -P debootstrap git >/dev/null || die "tests/debian.sh: debootstrap and git are required"
unshare --mount --pid --fork true || die "tests/debian.sh: this machine does not allow mount and process namespaces"

# apt_setting NAME: prints a setting of this machine's apt.
apt_setting() { local value=''; eval "$(apt-config shell value "$1")"; echo "$value"; }
mirrors() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian'; }

export http_proxy=${http_proxy:-$(apt_setting Acquire::http::Proxy)} https_proxy=${https_proxy:-$(apt_setting Acquire::https::Proxy)}
[[ $http_proxy ]] || unset http_proxy
[[ $https_proxy ]] || unset https_proxy

if [[ $folder ]]; then
  mkdir -p "$folder"
else
  folder=$(mktemp -d "${TMPDIR:-/var/tmp}/rankpool-debian.XXXXXX")
  trap 'rm -rf --one-file-system "$folder"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
fi
folder=$(cd "$folder" && pwd -P)
debian=$folder/debian clone=$folder/debian/root/rankpool

# The folder gets its name after a complete installation, so that an interrupted installation is not used.
if [[ ! -d $debian ]]; then
  mirror=$(mirrors | head -n 1)
  [[ $mirror ]] || { apt-get -q update >&2; mirror=$(mirrors | head -n 1); }
  [[ $mirror ]] || die "tests/debian.sh: apt on this machine has no Debian mirror in its sources"
  include=()
  [[ $mirror != https:* ]] || include=(--include=ca-certificates)
  script=()  # an older debootstrap has no script for newer releases, but they can be installed like sid
  [[ -e /usr/share/debootstrap/scripts/$release ]] || script=(/usr/share/debootstrap/scripts/sid)
  say "installing Debian $release in $debian"
  rm -rf --one-file-system "$debian.part"
  debootstrap --variant=minbase "${include[@]}" "$release" "$debian.part" "$mirror" "${script[@]}" >"$folder/debootstrap.log" 2>&1 || {
    tail -n 20 "$folder/debootstrap.log" >&2
    die "tests/debian.sh: debootstrap failed; the end of its log is above"
  }
  echo force-unsafe-io >"$debian.part/etc/dpkg/dpkg.cfg.d/no-sync"
  mv "$debian.part" "$debian"
fi
for file in resolv.conf hosts; do
  [[ ! -e /etc/$file ]] || cat "/etc/$file" >"$debian/etc/$file"
done

if [[ -d $clone ]]; then
  git -C "$clone" fetch --quiet "$root" HEAD && git -C "$clone" checkout --quiet --force FETCH_HEAD && git -C "$clone" clean -dffq
else
  git clone --quiet --no-hardlinks "$root" "$clone"
fi || die "tests/debian.sh: cannot clone $root"
[[ -z $(git -C "$root" status --porcelain) ]] || say "uncommitted changes in $root are not tested"

# in_debian COMMAND...: runs a command in the clone, with the environment of a fresh login and its own /dev/shm.
in_debian() {
  unshare --mount --pid --fork --kill-child=KILL -- bash -c '
    debian=$1 && shift
    mount --rbind /sys "$debian/sys" && mount --rbind /dev "$debian/dev" && mount -t tmpfs -o mode=1777 tmpfs "$debian/dev/shm" &&
      mount -t proc proc "$debian/proc" || exit
    chroot "$debian" /usr/bin/env -C /root/rankpool "$@"
    exit $?  # prevents an implicit exec: as process 1, the command would ignore signals
  ' mounts "$debian" -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM="${TERM:-dumb}" \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
    ${RANKPOOL_CMAKE_ARGS:+RANKPOOL_CMAKE_ARGS="$RANKPOOL_CMAKE_ARGS"} "$@"
}

if (($#)); then
  in_debian "$@"
  exit
fi

failed=0
results=()
# run COMMAND...: runs a command in the clone and records its status.
run() {
  local started=$SECONDS status=0
  say "$release: $*"
  in_debian "$@" || status=$?
  ((status == 0)) || failed=1
  results+=("$* ended with status $status after $((SECONDS - started)) s")
}
run jobs/run factorials
run tests/run

say "Debian $(<"$debian/etc/debian_version") ($release), commit $(git -C "$clone" rev-parse --short HEAD):"
printf '%s\n' "${results[@]}"
exit "$failed"
