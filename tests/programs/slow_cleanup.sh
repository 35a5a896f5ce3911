#!/usr/bin/env bash
# slow_cleanup.sh PROGRAM: rank 0 needs time to clean up after SIGTERM. mpirun, which kills ranks, must not end it before that.
set -u
program=$1
# shellcheck source=../support/scratch.sh
source "${BASH_SOURCE[0]%/*}/../support/scratch.sh"

mkfifo ready
RANKPOOL_WORKERS=2 timeout --kill-after=5 60 "$program" cleans-up ready >stdout 2>stderr &
run=$!
read -r rank_0 <ready
kill -TERM "$run"
wait "$run"
status=$?
((status == 143)) || fail "the status is $status, expected 143" stderr
grep -qx "cleaned up" stdout || fail "rank 0, process $rank_0, was killed" stdout stderr
