#!/usr/bin/env bash
# left_behind.sh PROGRAM LAUNCHER...: after a program has ended by an exception, none of its processes is left.
#
# A variable in their environment marks the processes of a run.
set -u
program=$1
shift
mark=RANKPOOL_TEST_MARK=$$-$RANDOM

marked() {
  grep -l -z -x -s -- "$mark" /proc/[0-9]*/environ | wc -l
}

for order in throw throw-while-busy 3; do
  env "$mark" timeout 20 "$@" "$program" "$order" >/dev/null 2>&1
  for _ in {1..50}; do
    left=$(marked)
    ((left == 0)) && break
    sleep 0.1
  done
  if ((left > 0)); then
    echo "$left processes are left after '$order'"
    exit 1
  fi
done
