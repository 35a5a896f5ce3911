#!/usr/bin/env bash
# killed_launcher.sh PROGRAM: kills the launcher of a program that starts itself. The program ends its ranks and reports that the
# launcher was killed.
set -u
program=$1
# shellcheck source=../support/scratch.sh
source "${BASH_SOURCE[0]%/*}/../support/scratch.sh"
mark=RANKPOOL_TEST_MARK=$$-$RANDOM

mkfifo lines
env "$mark" RANKPOOL_WORKERS=2 "$program" task-waits >lines 2>stderr &
run=$!
read -r -t 60 line <lines || fail "the program has not started" stderr  # its ranks are running
[[ $line == "2 workers: 9" ]] || fail "the program prints '$line'"
launcher=$(ps -o pid= -o comm= --ppid "$run" | awk '/mpirun|orterun|prterun/ {print $1}')
[[ $launcher ]] || fail "the program has no launcher"
kill -KILL "$launcher"
wait "$run"
status=$?
((status == 137)) || fail "the status is $status, expected 137" stderr
left=$(grep -l -z -x -s -- "$mark" /proc/[0-9]*/environ | wc -l)
((left == 0)) || fail "$left processes are left"
[[ $(wc -l <stderr) == 1 && $(<stderr) =~ ^"rankpool: the launcher 'mpirun' was ended by signal 9 (Killed)" ]] ||
  fail "stderr is not one line that says that the launcher was killed:" stderr
