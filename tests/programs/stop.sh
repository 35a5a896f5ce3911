#!/usr/bin/env bash
# stop.sh PROGRAM CASE: stop_program is stopped in the middle of its work, in one way or another, and goes on from its journal.
set -u
program=$1
export RANKPOOL_WORKERS=${RANKPOOL_WORKERS:-2}
mark=$$-$RANDOM
# shellcheck source=../support/waiting.sh
source "${BASH_SOURCE[0]%/*}/../support/waiting.sh"
# shellcheck source=../support/scratch.sh
source "${BASH_SOURCE[0]%/*}/../support/scratch.sh"
numbers=300
milliseconds=10  # of a task
sum=$((numbers * (numbers + 1) / 2))

die() {
  echo "$*"
  cat stderr 2>/dev/null
  exit 1
}

begin() {
  # bash has the commands that it runs in the background ignore SIGINT.
  RANKPOOL_TEST_MARK=$mark setsid env --default-signal=INT "$program" journal marks "$numbers" "$milliseconds" >stdout 2>stderr &
  run=$!
}

# The program, its launcher and its ranks: they have the mark in their environment, as this shell has not.
processes() { grep -l -z -x -s -- "RANKPOOL_TEST_MARK=$mark" /proc/[0-9]*/environ | cut -d/ -f3; }

tasks_run() { stat -c %s marks 2>/dev/null || echo 0; }

have_run() { (($(tasks_run) >= $1)); }

until_tasks() { until_true 30 have_run "$1" || die "only $(tasks_run) tasks have run after 30 s"; }  # NUMBER

has_launcher() { [[ $(ps -o comm= --ppid "$run") =~ mpirun|orterun|prterun ]]; }

# No signal waits for the program.
is_handled() { grep -qE '^ShdPnd:\s0+$' "/proc/$run/status"; }

ends_with() {  # STATUS
  wait "$run"
  local status=$?
  ((status == $1)) || die "the status is $status, not $1"
}

says_once() { [[ $(grep -c "$1" stderr) == 1 && $(wc -l <stderr) == 1 ]] || die "it does not say '$1' in one line:"; }

goes_on() {  # what may have run twice
  "$program" journal marks "$numbers" "$milliseconds" >stdout 2>stderr || die "the next run fails"
  [[ $(<stdout) == "$sum" ]] || die "the next run prints '$(<stdout)', not $sum"
  (($(tasks_run) >= numbers && $(tasks_run) <= numbers + $1)) || die "$(tasks_run) tasks have run in all, of $numbers"
}

case $2 in
  terminated|usr1)
    begin
    until_tasks 50
    [[ $2 == usr1 ]] && kill -USR1 "$run" || kill -TERM "$run"
    ends_with 75
    (($(tasks_run) < numbers)) || die "it was not stopped"
    says_once "stopped early"
    goes_on 0
    ;;
  interrupted)  # at the terminal: the whole group gets it
    begin
    until_tasks 50
    kill -INT -- "-$run"
    ends_with 75
    says_once "stopped early"
    goes_on 0
    ;;
  repeated)  # as timeout(1) does: to the program, and to its group at once
    numbers=100000
    for ((i = 0; i < 5; ++i)); do
      rm -f journal* marks
      begin
      until_tasks 20
      kill -TERM "$run"
      kill -TERM -- "-$run"
      kill -CONT -- "-$run"
      ends_with 75
      left=$(processes | wc -l)
      ((left == 0)) || die "$left processes are left"
      says_once "stopped early by signal 15"
    done
    ;;
  early)  # the launcher has been started, and its ranks perhaps not
    for ((i = 0; i < 5; ++i)); do
      rm -f journal* marks
      begin
      until_true 30 has_launcher || die "there is no launcher"
      kill -TERM "$run"
      ends_with 75
      left=$(processes | wc -l)
      ((left == 0)) || die "$left processes are left"
      says_once "stopped early by signal 15"
    done
    goes_on 0
    ;;
  again)  # in the middle of tasks that take long, the second signal does not wait for them
    RANKPOOL_TEST_MARK=$mark setsid "$program" journal marks 4 60000 >stdout 2>stderr &
    run=$!
    until_tasks 1
    kill -TERM "$run"
    until_true 10 is_handled || die "the first signal is still pending"
    sleep 0.7  # within half a second it would be taken for the same
    kill -TERM "$run"
    begun=$SECONDS
    wait "$run"
    (($? == 143)) || die "the status is not 143"
    ((SECONDS - begun < 20)) || die "it took $((SECONDS - begun)) s"
    ;;
  time)  # is up
    RANKPOOL_TEST_MARK=$mark setsid "$program" journal marks "$numbers" 20 1 >stdout 2>stderr &
    run=$!
    ends_with 75
    says_once "stopped early: time limit reached"
    milliseconds=20
    goes_on 0
    ;;
  grace)  # is over, and a task still runs: some more are left to be begun, or none
    for numbers in 4 2; do
      rm -f marks journal*
      RANKPOOL_TEST_MARK=$mark setsid "$program" journal marks "$numbers" 60000 >stdout 2>stderr &
      run=$!
      until_tasks 1
      kill -TERM "$run"
      ends_with 75
      grep -q "tasks still ran after the grace period of 5 s" stderr || die "it does not say that tasks were abandoned"
    done
    ;;
  killed)  # all ranks at once, at any moment: what was finished in the last second may be lost
    for ((i = 0; i < 4; ++i)); do
      rm -f journal* marks
      begin
      until_tasks $((RANDOM % 250 + 1))
      # shellcheck disable=SC2046  # several
      kill -KILL $(processes) 2>/dev/null
      wait "$run" 2>/dev/null
      before=$(tasks_run)
      goes_on 220  # two workers do 200 tasks of 10 ms in a second
      ((before > 0)) || die "nothing had run"
    done
    ;;
  *) die "there is no case $2" ;;
esac
