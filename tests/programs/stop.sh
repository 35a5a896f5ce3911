#!/usr/bin/env bash
# stop.sh PROGRAM CASE: stops stop_program while its tasks run, in the way that CASE says, and resumes it from its journal.
set -u
program=$1
export RANKPOOL_WORKERS=${RANKPOOL_WORKERS:-2}
mark=$$-$RANDOM
# shellcheck source=../support/waiting.sh
source "${BASH_SOURCE[0]%/*}/../support/waiting.sh"
# shellcheck source=../support/scratch.sh
source "${BASH_SOURCE[0]%/*}/../support/scratch.sh"
numbers=300
milliseconds=10  # length of a task
sum=$((numbers * (numbers + 1) / 2))

die() {
  echo "$*"
  cat stderr 2>/dev/null
  exit 1
}

begin() {
  # bash starts commands in the background with SIGINT ignored.
  RANKPOOL_TEST_MARK=$mark setsid env --default-signal=INT "$program" journal marks "$numbers" "$milliseconds" >stdout 2>stderr &
  run=$!
}

# Prints the process ids of the program, its launcher and its ranks. A variable in their environment marks them.
processes() { grep -l -z -x -s -- "RANKPOOL_TEST_MARK=$mark" /proc/[0-9]*/environ | cut -d/ -f3; }

tasks_run() { stat -c %s marks 2>/dev/null || echo 0; }

have_run() { (($(tasks_run) >= $1)); }

until_tasks() { until_true 30 have_run "$1" || die "only $(tasks_run) tasks have run after 30 s"; }  # NUMBER

has_launcher() { [[ $(ps -o comm= --ppid "$run") =~ mpirun|orterun|prterun ]]; }

# The program has no pending signal.
is_handled() { grep -qE '^ShdPnd:\s0+$' "/proc/$run/status"; }

expect_status() {  # STATUS
  wait "$run"
  local status=$?
  ((status == $1)) || die "the status is $status, expected $1"
}

expect_message() { [[ $(grep -c "$1" stderr) == 1 && $(wc -l <stderr) == 1 ]] || die "stderr is not one line with '$1':"; }  # REGEX

expect_resumes() {  # NUMBER of tasks that may have run twice
  "$program" journal marks "$numbers" "$milliseconds" >stdout 2>stderr || die "the next run fails"
  [[ $(<stdout) == "$sum" ]] || die "the next run prints '$(<stdout)', expected $sum"
  (($(tasks_run) >= numbers && $(tasks_run) <= numbers + $1)) || die "both runs together ran $(tasks_run) tasks, expected $numbers"
}

case $2 in
  terminated|usr1)
    begin
    until_tasks 50
    [[ $2 == usr1 ]] && kill -USR1 "$run" || kill -TERM "$run"
    expect_status 75
    (($(tasks_run) < numbers)) || die "the program was not stopped early"
    expect_message "stopped early"
    expect_resumes 0
    ;;
  interrupted)  # Ctrl-C at a terminal sends SIGINT to the whole process group
    begin
    until_tasks 50
    kill -INT -- "-$run"
    expect_status 75
    expect_message "stopped early"
    expect_resumes 0
    ;;
  repeated)  # timeout(1) sends the signal to the program and to its process group
    numbers=100000
    for ((i = 0; i < 5; ++i)); do
      rm -f journal* marks
      begin
      until_tasks 20
      kill -TERM "$run"
      kill -TERM -- "-$run"
      kill -CONT -- "-$run"
      expect_status 75
      left=$(processes | wc -l)
      ((left == 0)) || die "$left processes are left"
      expect_message "stopped early by signal 15"
    done
    ;;
  early)  # the launcher has started; the ranks may not have started
    for ((i = 0; i < 5; ++i)); do
      rm -f journal* marks
      begin
      until_true 30 has_launcher || die "the program has no launcher"
      kill -TERM "$run"
      expect_status 75
      left=$(processes | wc -l)
      ((left == 0)) || die "$left processes are left"
      expect_message "stopped early by signal 15"
    done
    expect_resumes 0
    ;;
  again)  # the second signal ends the program without waiting for long tasks
    RANKPOOL_TEST_MARK=$mark setsid "$program" journal marks 4 60000 >stdout 2>stderr &
    run=$!
    until_tasks 1
    kill -TERM "$run"
    until_true 10 is_handled || die "the first signal is still pending"
    sleep 0.7  # a second signal within half a second counts as the same one
    kill -TERM "$run"
    begun=$SECONDS
    wait "$run"
    (($? == 143)) || die "the status is not 143"
    ((SECONDS - begun < 20)) || die "the program ended only after $((SECONDS - begun)) s"
    ;;
  time)  # the time limit is reached
    RANKPOOL_TEST_MARK=$mark setsid "$program" journal marks "$numbers" 20 1 >stdout 2>stderr &
    run=$!
    expect_status 75
    expect_message "stopped early: time limit reached"
    milliseconds=20
    expect_resumes 0
    ;;
  grace)  # a task runs beyond the grace period, with and without tasks that have not started
    for numbers in 4 2; do
      rm -f marks journal*
      RANKPOOL_TEST_MARK=$mark setsid "$program" journal marks "$numbers" 60000 >stdout 2>stderr &
      run=$!
      until_tasks 1
      kill -TERM "$run"
      expect_status 75
      grep -q "tasks still ran after the grace period of 5 s" stderr || die "stderr does not report tasks that ran beyond the grace period:"
    done
    ;;
  killed)  # all processes are killed at a random moment; tasks of the last second may be lost
    for ((i = 0; i < 4; ++i)); do
      rm -f journal* marks
      begin
      until_tasks $((RANDOM % 250 + 1))
      # shellcheck disable=SC2046  # several
      kill -KILL $(processes) 2>/dev/null
      wait "$run" 2>/dev/null
      before=$(tasks_run)
      expect_resumes 220  # two workers run 200 tasks of 10 ms in a second
      ((before > 0)) || die "no task ran before the kill"
    done
    ;;
  *) die "unknown case '$2'" ;;
esac
