#!/usr/bin/env bash
# stdin.sh PROGRAM CASE: tests the stdin of a program that starts itself: what it reads, and what it leaves unread.
set -u
program=$1
# shellcheck source=../support/waiting.sh
source "${BASH_SOURCE[0]%/*}/../support/waiting.sh"
# shellcheck source=../support/scratch.sh
source "${BASH_SOURCE[0]%/*}/../support/scratch.sh"

# expect TEXT: checks that the file `out` contains TEXT.
expect() { [[ $(<out) == "$1" ]] || fail "expected the output '$1', but it is:" out; }

case $2 in
  unread)  # a program that reads nothing leaves stdin to the shell
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
  shared)  # the next program reads what the program leaves
    printf '%s\n' first second third >list
    { "$program" line && "$program" line && cat; } <list >out || fail "status $?"
    expect $'2 workers: 9\nfirst\n2 workers: 9\nsecond\nthird'
    printf '%s\n' first second third | { "$program" line && cat; } >out || fail "status $?"
    expect $'2 workers: 9\nfirst\nsecond\nthird'
    ;;
  whole)
    seq 300000 >list
    "$program" copy <list | tail -n +2 | cmp - list || fail "a file is changed on the way"
    cat list | "$program" copy | tail -n +2 | cmp - list || fail "the bytes of a pipe are changed on the way"
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
  other-node)  # rank 0 cannot get the stdin of the starting process, as if it were on another node
    printf '%s\n' '#!/bin/sh' 'RANKPOOL_CONTROL=rankpool-nobody-with-input exec mpirun "$@"' >launcher
    chmod +x launcher
    echo text | RANKPOOL_MPIRUN=./launcher "$program" copy >out 2>err
    status=$?
    ((status == 3)) || fail "status $status, expected 3:" out err
    grep -q '^rankpool: rank 0 cannot read standard input: it runs on another node' err || fail "stderr has no such message:" err
    RANKPOOL_MPIRUN=./launcher "$program" </dev/null >out || fail "status $?"
    expect "2 workers: 9"
    ;;
  salloc)  # in a Slurm allocation, rank 0 may be on another node, so the launcher forwards stdin
    printf '%s\n' '#!/bin/sh' 'unset SLURM_JOB_ID; exec mpirun "$@"' >launcher
    chmod +x launcher
    echo text | SLURM_JOB_ID=1 RANKPOOL_MPIRUN=./launcher "$program" copy >out || fail "status $?"
    expect $'2 workers: 9\ntext'
    ;;
esac
