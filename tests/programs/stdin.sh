#!/usr/bin/env bash
# stdin.sh PROGRAM CASE: what a program that starts itself reads from stdin, and what it leaves there.
set -u
program=$1
# shellcheck source=../support/waiting.sh
source "${BASH_SOURCE[0]%/*}/../support/waiting.sh"
# shellcheck source=../support/scratch.sh
source "${BASH_SOURCE[0]%/*}/../support/scratch.sh"

# expect TEXT: that is what the file `out` holds.
expect() { [[ $(<out) == "$1" ]] || fail "the output is not '$1', but:" out; }

case $2 in
  left-alone)  # by a program that reads nothing
    printf '%s\n' 1 2 3 >list
    run_for_each_line() {
      while read -r x; do
        "$program" || fail "status $?"
        echo "$x"
      done
    }
    run_for_each_line <list >out
    expect $'2 workers: 9\n1\n2 workers: 9\n2\n2 workers: 9\n3'
    cat list | run_for_each_line >out
    expect $'2 workers: 9\n1\n2 workers: 9\n2\n2 workers: 9\n3'
    ;;
  shared)  # what the program does not read, the next one reads
    printf '%s\n' first second third >list
    { "$program" line && "$program" line && cat; } <list >out || fail "status $?"
    expect $'2 workers: 9\nfirst\n2 workers: 9\nsecond\nthird'
    printf '%s\n' first second third | { "$program" line && cat; } >out || fail "status $?"
    expect $'2 workers: 9\nfirst\nsecond\nthird'
    ;;
  whole)
    seq 300000 >list
    "$program" copy <list | tail -n +2 | cmp - list || fail "a file arrives changed"
    cat list | "$program" copy | tail -n +2 | cmp - list || fail "a pipe arrives changed"
    "$program" copy </dev/null >out || fail "status $?"
    expect "2 workers: 9"
    "$program" copy <&- >out || fail "status $? with stdin closed"
    expect "2 workers: 9"
    ;;
  slow)  # each line arrives when it is written
    mkfifo in
    "$program" copy <in >out &
    exec 3>in
    until_true 30 test -s out || fail "the program has not started"
    echo now >&3
    exec 3>&-
    wait $! || fail "status $?"
    expect $'2 workers: 9\nnow'
    ;;
  elsewhere)  # nobody lends: as if rank 0 were on another node
    printf '%s\n' '#!/bin/sh' 'RANKPOOL_CONTROL=rankpool-nobody-with-input exec mpirun "$@"' >launcher
    chmod +x launcher
    echo text | RANKPOOL_MPIRUN=./launcher "$program" copy >out 2>err
    status=$?
    ((status == 3)) || fail "status $status, expected 3:" out err
    grep -q '^rankpool: rank 0 cannot read standard input: it runs on another node' err || fail "not told:" err
    RANKPOOL_MPIRUN=./launcher "$program" </dev/null >out || fail "status $?"
    expect "2 workers: 9"
    ;;
  salloc)  # in a Slurm allocation, seen from outside it: the launcher passes stdin on, as rank 0 may be on another node
    printf '%s\n' '#!/bin/sh' 'unset SLURM_JOB_ID; exec mpirun "$@"' >launcher
    chmod +x launcher
    echo text | SLURM_JOB_ID=1 RANKPOOL_MPIRUN=./launcher "$program" copy >out || fail "status $?"
    expect $'2 workers: 9\ntext'
    ;;
esac
