#!/usr/bin/env bash
# cpu_quota.sh PROGRAM: in a control group with a quota of half a core, a program starts one worker.
#
# The status is 77 if this user cannot create a control group, or if the machine has only one core.
set -u
program=$1
(($(nproc) > 1)) || exit 77

group=
trap '[[ -z $group ]] || rmdir "$group"' EXIT

# limited_group: creates a control group and sets `group`.
limited_group() {
  local name=rankpool-test-$$
  if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
    mkdir "/sys/fs/cgroup/$name" || return
    group=/sys/fs/cgroup/$name
    echo '50000 100000' >"$group/cpu.max"
  else
    mkdir "/sys/fs/cgroup/cpu/$name" || return
    group=/sys/fs/cgroup/cpu/$name
    echo 100000 >"$group/cpu.cfs_period_us" && echo 50000 >"$group/cpu.cfs_quota_us"
  fi
}

limited_group 2>/dev/null || exit 77
# The group can be removed only after all its processes have ended, so the program runs in a subshell.
(
  echo $BASHPID >"$group/cgroup.procs" || exit 77
  timeout 100 env -u RANKPOOL_WORKERS "$program" workers
)
status=$?
((status == 77)) && exit 77
((status == 1)) || { echo "the number of workers is $status, expected 1"; exit 1; }
for _ in {1..100}; do
  rmdir "$group" 2>/dev/null && group= && exit 0
  sleep 0.05
done
echo "processes are left in $group"
exit 1
