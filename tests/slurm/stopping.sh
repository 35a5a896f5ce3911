#!/usr/bin/env bash
# stopping.sh CLUSTER COMMAND CASE: tests jobs that a user, a time limit or the job itself stops, and that resume from their journal.
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

# The processes of a case have this variable in their environment. Those of all nodes are visible in this /proc.
export RANKPOOL_TEST_MARK=slurm-$$-$RANDOM
no_process_is_left() { ! env -u RANKPOOL_TEST_MARK grep -q -z -x -s "RANKPOOL_TEST_MARK=$RANKPOOL_TEST_MARK" /proc/[0-9]*/environ; }

# The commands of run RUN have started.
commands_run() {  # RUN
  is_running_again "$1" && [[ -e 1 && -e 2 ]] || has_ended
}

# Starts a job of commands that create a file and wait for another. They ignore USR1, because without cgroups Slurm signals the ranks
# and all processes that they have started.
start_waiting_commands() {
  printf 'trap "" USR1; touch %s; until [ -e go ]; do sleep 0.1; done; echo %s\n' 1 1 2 2 3 3 >commands
  submit -n2 long.sbatch exec --journal journal --stop-before 3s commands
  until_true $patience test -e 1 -a -e 2 || die "the commands have not started"
}

# Sends run RUN the signal that Slurm sends before a time limit, and waits for a message that matches.
stop_run() {  # RUN REGEX
  until_true $patience commands_run "$1" || die "run $1 does not start"
  slurm scancel --batch --signal=USR1 "$job"
  until_true $patience has_reported "$1" "$2" || die "no message of run $1 matches: $2"
  rm -f 1 2
}
has_reported() { [[ $(grep -c '^long.sbatch: .*requeued' "rankpool-$job.err") == "$1" ]] && tail -n 5 "rankpool-$job.err" | grep -qE "$2"; }

limit() {  # LAUNCHER: a job without a journal, at its time limit
  export RANKPOOL_LAUNCHER=$1
  submit -n2 --time=1 rankpool.sbatch exec ::: 'sleep 300' 'sleep 300'
  expect_end TIMEOUT
  until_true $patience no_process_is_left || die "processes of the job are left"
}

limit_with_journal() {  # LAUNCHER: a task runs beyond the time limit; the job is requeued
  export RANKPOOL_LAUNCHER=$1
  printf 'echo 1; echo 1 >>ran\ntrap "" USR1; until [ -e go ]; do sleep 0.1; done; echo 2\n' >commands
  submit -n2 --time=1 --signal=B:USR1@1 long.sbatch exec --journal journal --stop-before 0s --output results commands
  expect_line "rankpool-$job.err" "stopped early in run 1 and is requeued" $patience
  touch go
  expect_end_after_requeues COMPLETED
  expect_text results "$(printf '1\n2')"
  expect_text ran 1
}

two_limits() {  # two consecutive runs reach the time limit, each with finished tasks
  for i in 1 2; do echo "echo $i; echo $i >>ran"$'\n'"trap '' USR1; until [ -e go$i ]; do sleep 0.1; done; echo waited"; done >commands
  submit -n1 --time=1 --signal=B:USR1@1 long.sbatch exec --journal journal --stop-before 0s --output results commands
  for i in 1 2; do
    expect_line "rankpool-$job.err" "stopped early in run $i and is requeued" $patience
    touch "go$i"
    until_true $patience is_running_again "$((i + 1))" || die "run $((i + 1)) does not start"
  done
  expect_end COMPLETED
  expect_text results "$(printf '%s\n' 1 waited 2 waited)"
  expect_text ran "$(seq 2)"
}
is_running_again() { has_ended_or_is_started || [[ $(job_field Restarts) == $(($1 - 1)) && $(job_field JobState) == RUNNING ]]; }

# Reads the --json lines of all runs. Prints how many tasks a run finished and a later run did not restore, of how many tasks.
repeated_tasks() {
  grep -oE '"tasks":[0-9]+,"restored":[0-9]+' |
    awk -F '[:,]' 'NR > 1 && $4 < known {twice += known - $4} {known = $2 + $4} END {print twice + 0 " of " known}'
}

cancelled() {  # LAUNCHER: a cancelled job is not requeued; the next job resumes
  export RANKPOOL_LAUNCHER=$1
  printf 'echo 1; echo 1 >>ran\ntouch 2; until [ -e go ]; do sleep 0.1; done; echo 2\n' >commands
  submit -n2 long.sbatch exec --journal journal commands
  until_true $patience test -e ran -a -e 2 || die "the commands have not started"
  sleep 1.2  # tasks of the last second may be lost
  slurm scancel "$job"
  expect_end CANCELLED
  until_true $patience no_process_is_left || die "processes of the job are left"
  [[ $(job_field Restarts) == 0 ]] || die "the job was requeued"
  touch go
  submit -n2 long.sbatch exec --journal journal commands
  expect_end COMPLETED
  expect_text "rankpool-$job.out" "$(printf '1\n2')"
  expect_text ran 1
}

# Prints the number of finished chunks in the journal.
finished_chunks() { "$RANKPOOL" journal journal 2>/dev/null | awk '/^  [0-9]+ chunks?,/ {sum += $1} END {print sum + 0}'; }
has_finished_chunks() { (($(finished_chunks) > 0)); }

# Checks that every requeue was reported, and that no run repeated finished tasks of an earlier run.
check_resumed() {  # CHUNKS
  (($(job_field Restarts) > 0)) || die "the job was done in one run, so it did not resume"
  [[ $(repeated_tasks <"rankpool-$job.out") == "0 of $1" ]] || die "repeated tasks: $(repeated_tasks <"rankpool-$job.out"), expected 0 of $1"
  (($(grep -c 'is requeued' "rankpool-$job.err") == $(job_field Restarts))) || die "not every requeue was reported"
  expect_line "rankpool-$job.err" "run $(($(job_field Restarts) + 1)) until"
}

# A job that needs several runs. Each run stops 42 s before the limit of a minute, so it has 18 s. The commands sleep for 20 s in all on
# each of two workers. They do not compute, so the number of runs hardly depends on the load of the machine.
resumes_after_limit() {  # LAUNCHER
  local i
  export RANKPOOL_LAUNCHER=$1
  for i in {1..40}; do echo "sleep 1; echo $i; echo $i >>ran"; done >commands
  submit -n2 --time=1 --signal=B:USR1@1 long.sbatch exec --journal journal --stop-before 42s --output results --json commands
  expect_end_after_requeues COMPLETED
  expect_text results "$(seq 40)"
  [[ $(sort -n ran) == "$(seq 40)" ]] || die "these commands did not run exactly once: $(comm -3 <(sort ran) <(seq 40 | sort) | paste -sd" ")"
  check_resumed 40
}

# A job gets the signal that Slurm sends before a time limit, after it has finished some chunks.
resumes_after_signal() {  # RESULT ARGUMENTS...
  submit -n2 long.sbatch "${@:2}" --journal journal --output results --json
  until_true $patience has_finished_chunks || die "no chunk is finished"
  slurm scancel --batch --signal=USR1 "$job"
  expect_line "rankpool-$job.err" "job $job stopped early in run 1 and is requeued" $patience
  expect_end_after_requeues COMPLETED
  expect_text results "$1"
  check_resumed "$(finished_chunks)"
}

case $3 in
  limit-srun) limit srun ;;
  limit-mpirun) limit mpirun ;;
  limit-self) limit self ;;
  limit-with-journal-srun) limit_with_journal srun ;;
  limit-with-journal-mpirun) limit_with_journal mpirun ;;
  limit-with-journal-self) limit_with_journal self ;;
  two-limits) two_limits ;;
  cancelled-srun) cancelled srun ;;
  cancelled-mpirun) cancelled mpirun ;;
  cancelled-self) cancelled self ;;
  resumes-srun) resumes_after_limit srun ;;
  resumes-mpirun) resumes_after_limit mpirun ;;
  resumes-primes) resumes_after_signal 2119654578 primes 1 5e10 --count --chunksize 5e8 ;;
  resumes-factorials)
    numbers="$(seq 2000000 500000 7500000) 20000000"  # the last one keeps the run busy until it is stopped
    # shellcheck disable=SC2086  # thirteen words
    expected=$(RANKPOOL_WORKERS=2 "$RANKPOOL" factorials $numbers --quiet) || die "the uninterrupted run fails"
    # shellcheck disable=SC2086
    resumes_after_signal "$expected" factorials $numbers
    ;;
  no-progress)  # after two runs without a finished task, the job is not requeued
    start_waiting_commands
    stop_run 1 "is requeued"
    stop_run 2 "is not requeued: two consecutive runs finished no task"
    expect_end FAILED
    ;;
  max-requeues)
    export RANKPOOL_MAX_REQUEUES=0
    start_waiting_commands
    stop_run 1 "is not requeued: RANKPOOL_MAX_REQUEUES is 0"
    expect_end FAILED
    touch go
    submit -n2 long.sbatch exec --journal journal commands
    expect_end COMPLETED
    expect_text "rankpool-$job.out" "$(seq 3)"
    ;;
  array-resumes)  # only the stopped task of the array is requeued
    for i in 1 2; do
      wait='trap "" USR1; until [ -e go ]; do sleep 0.1; done; echo waited'
      echo "exec --journal journal$i --stop-before 3s --output results$i ::: 'echo $i; echo $i >>ran' 'touch $i; $wait' '$wait' '$wait'" >>runs
    done
    submit -n2 --array=1-2 array.sbatch runs
    array=$job
    until_true $patience test -s ran -a -e 1 -a -e 2 || die "the commands have not started"
    job=${array}_2
    sleep 1.2  # tasks of the last second may be lost
    slurm scancel --batch --signal=USR1 "$job"
    expect_line "rankpool-$job.err" "job $job stopped early in run 1 and is requeued" $patience
    touch go
    expect_end_after_requeues COMPLETED
    [[ $(job_field Restarts) == 1 ]] || die "job $job was requeued $(job_field Restarts) times, expected once"
    [[ $(job_field Restarts "${array}_1") == 0 ]] || die "task 1 of the array was requeued, too"
    expect_text results2 "$(printf '%s\n' 2 waited waited waited)"
    expect_text results1 "$(printf '%s\n' 1 waited waited waited)"
    [[ $(sort ran | paste -sd' ') == "1 2" ]] || die "a command ran twice: $(paste -sd' ' ran)"
    ;;
  *) die "unknown case '$3'" ;;
esac
