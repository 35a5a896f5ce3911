#!/usr/bin/env bash
# killed_parent.sh PROGRAM: kills a program that starts itself with SIGKILL. The launcher and the ranks end.
#
# A variable in their environment marks the processes. The first line of output shows that the ranks are running.
set -u
program=$1
mark=RANKPOOL_TEST_MARK=$$-$RANDOM

marked() {
  grep -l -z -x -s -- "$mark" /proc/[0-9]*/environ | wc -l
}

exec 3< <(exec env "$mark" RANKPOOL_WORKERS=2 "$program" task-waits)
started=$!
if ! read -r -t 30 -u 3 line; then
  echo "the program has not started"
  exit 1
fi
if (($(marked) < 5)); then
  echo "only $(marked) processes have the mark, expected the program, the launcher and three ranks"
  exit 1
fi
kill -KILL "$started"
for _ in {1..100}; do
  left=$(marked)
  ((left == 0)) && exit 0
  sleep 0.1
done
echo "$left processes are left"
exit 1
