#!/usr/bin/env bash
# inherited_pipe.sh PROGRAM: a task leaves a process that keeps mpirun from ending. The process that holds it is killed; a process of the
# user that writes to a pipe which the program has inherited is not.
set -u
program=$1
# shellcheck source=../support/scratch.sh
source "${BASH_SOURCE[0]%/*}/../support/scratch.sh"

exec 3< <(exec sleep 60)
writer=$!
RANKPOOL_WORKERS=2 "$program" orphan-stays plain >/dev/null 2>stderr || fail "the program ends with status $?" stderr
grep -q "^rankpool: the tasks left processes" stderr || fail "the program reports no process that a task has left" stderr
kill "$writer" || fail "the writer of the inherited pipe was killed" stderr
