#!/usr/bin/env bash
# killed_launcher.sh PROGRAM: the launcher of a program that starts itself is killed. Its ranks are ended, and the message
# blames none of them.
set -u
program=$1
# shellcheck source=../support/scratch.sh
source "${BASH_SOURCE[0]%/*}/../support/scratch.sh"
mark=RANKPOOL_TEST_MARK=$$-$RANDOM

mkfifo lines
env "$mark" RANKPOOL_WORKERS=2 "$program" task-waits >lines 2>stderr &
run=$!
read -r -t 60 line <lines || fail "the program has not started" stderr  # its ranks are at work
[[ $line == "2 workers: 9" ]] || fail "it prints '$line'"
launcher=$(ps -o pid= -o comm= --ppid "$run" | awk '/mpirun|orterun|prterun/ {print $1}')
[[ $launcher ]] || fail "it has no launcher"
kill -KILL "$launcher"
wait "$run"
status=$?
((status == 137)) || fail "the status is $status, not 137" stderr
left=$(grep -l -z -x -s -- "$mark" /proc/[0-9]*/environ | wc -l)
((left == 0)) || fail "$left processes are left"
[[ $(wc -l <stderr) == 1 && $(<stderr) =~ ^"rankpool: the launcher 'mpirun' was ended by signal 9 (Killed)" ]] ||
  fail "it does not say in one line that the launcher was killed:" stderr
