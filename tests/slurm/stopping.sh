#!/usr/bin/env bash
# stopping.sh CLUSTER COMMAND CASE: jobs that are stopped by the user, a time limit or themselves, and go on from their journal.
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

# The processes of a case have this in their environment, on whichever node; and all are seen from here.
export RANKPOOL_TEST_MARK=slurm-$$-$RANDOM
nothing_is_left() { ! env -u RANKPOOL_TEST_MARK grep -q -z -x -s "RANKPOOL_TEST_MARK=$RANKPOOL_TEST_MARK" /proc/[0-9]*/environ; }

# The commands of that run have started.
is_run() {
  runs_again "$1" && [[ -e 1 && -e 2 ]] || has_ended
}

# A job that a signal can stop: commands that leave a mark, and wait for a file. Without cgroups Slurm signals not only the ranks,
# but all that they have started.
starts_waiting() {
  printf 'trap "" USR1; touch %s; until [ -e go ]; do sleep 0.1; done; echo %s\n' 1 1 2 2 3 3 >commands
  submits -n2 long.sbatch exec --journal journal --stop-before 3s commands
  until_true 40 test -e 1 -a -e 2 || die "the commands have not started"
}

# The run that goes on is sent the signal that Slurm sends ahead of a time limit. What then becomes of the job is told in a line.
stops() {  # RUN REGEX
  until_true 60 is_run "$1" || die "run $1 does not start"
  slurm scancel --batch --signal=USR1 "$job"
  until_true 30 has_told "$1" "$2" || die "run $1 does not tell: $2"
  rm -f 1 2
}
has_told() { [[ $(grep -c '^long.sbatch: .*queued again' "rankpool-$job.err") == "$1" ]] && tail -n 5 "rankpool-$job.err" | grep -qE "$2"; }

limit() {  # LAUNCHER: a job without a journal, at its time limit
  export RANKPOOL_LAUNCHER=$1
  submits -n2 --time=1 rankpool.sbatch exec ::: 'sleep 300' 'sleep 300'
  ends_as TIMEOUT 120
  until_true 10 nothing_is_left || die "some of its processes are left"
}

limit_with_journal() {  # LAUNCHER: is queued again at the limit itself, when a task takes too long
  export RANKPOOL_LAUNCHER=$1
  printf 'echo 1; echo 1 >>ran\ntrap "" USR1; until [ -e go ]; do sleep 0.1; done; echo 2\n' >commands
  submits -n2 --time=1 --signal=B:USR1@1 long.sbatch exec --journal journal --stop-before 0s --output results commands
  says "rankpool-$job.err" "stopped early in run 1" 120
  touch go
  ends_after_requeues_as COMPLETED 60
  prints results "$(printf '1\n2')"
  prints ran 1
}

limits_with_journal() {  # at two limits one after the other, each time with something finished
  for i in 1 2; do echo "echo $i; echo $i >>ran"$'\n'"trap '' USR1; until [ -e go$i ]; do sleep 0.1; done; echo waited"; done >commands
  submits -n1 --time=1 --signal=B:USR1@1 long.sbatch exec --journal journal --stop-before 0s --output results commands
  for i in 1 2; do
    says "rankpool-$job.err" "stopped early in run $i: .* is queued again" 120
    touch "go$i"
    until_true 30 runs_again "$((i + 1))" || die "run $((i + 1)) does not start"
  done
  ends_as COMPLETED
  prints results "$(printf '%s\n' 1 waited 2 waited)"
  prints ran "$(seq 2)"
}
runs_again() { has_ended_or_is_hurried || [[ $(job_is Restarts) == $(($1 - 1)) && $(job_is JobState) == RUNNING ]]; }

# From what --json prints of each run: tasks that one has finished and a later one has not taken over, and how many there are in the end.
counted_twice() {
  grep -oE '"tasks":[0-9]+,"taken_over":[0-9]+' |
    awk -F '[:,]' 'NR > 1 && $4 < known {twice += known - $4} {known = $2 + $4} END {print twice + 0 " of " known}'
}

cancelled() {  # LAUNCHER: is not queued again, and the next job goes on
  export RANKPOOL_LAUNCHER=$1
  printf 'echo 1; echo 1 >>ran\ntouch 2; until [ -e go ]; do sleep 0.1; done; echo 2\n' >commands
  submits -n2 long.sbatch exec --journal journal commands
  until_true 40 test -e ran -a -e 2 || die "the commands have not started"
  sleep 1.2  # a second is what may be lost
  slurm scancel "$job"
  ends_as CANCELLED
  until_true 10 nothing_is_left || die "some of its processes are left"
  [[ $(job_is Restarts) == 0 ]] || die "it was queued again"
  touch go
  submits -n2 long.sbatch exec --journal journal commands
  ends_as COMPLETED
  prints "rankpool-$job.out" "$(printf '1\n2')"
  prints ran 1
}

# The finished chunks that the journal contains.
finished_chunks() { "$RANKPOOL" journal journal 2>/dev/null | awk '/^  [0-9]+ chunks?,/ {sum += $1} END {print sum + 0}'; }
has_finished_chunks() { (($(finished_chunks) > 0)); }

# Every requeue was reported, and no run computed what an earlier run had finished.
went_on() {  # CHUNKS
  (($(job_is Restarts) > 0)) || die "the job was done in one run: that shows too little"
  [[ $(counted_twice <"rankpool-$job.out") == "0 of $1" ]] || die "tasks that were run twice: $(counted_twice <"rankpool-$job.out"), not 0 of $1"
  (($(grep -c 'is queued again' "rankpool-$job.err") == $(job_is Restarts))) || die "not every requeue was reported"
  says "rankpool-$job.err" "run $(($(job_is Restarts) + 1)) until"
}

# A job that needs several runs: each run stops 42 s before the limit of a minute, so it has 18 s. The commands sleep for 20 s on two
# workers. They do not compute, so the number of runs hardly depends on how busy the machine is.
goes_on_at_limit() {  # LAUNCHER
  local i
  export RANKPOOL_LAUNCHER=$1
  for i in {1..40}; do echo "sleep 1; echo $i; echo $i >>ran"; done >commands
  submits -n2 --time=1 --signal=B:USR1@1 long.sbatch exec --journal journal --stop-before 42s --output results --json commands
  ends_after_requeues_as COMPLETED 250
  prints results "$(seq 40)"
  [[ $(sort -n ran) == "$(seq 40)" ]] || die "these commands did not run exactly once: $(comm -3 <(sort ran) <(seq 40 | sort) | paste -sd" ")"
  went_on 40
}

# A job that is sent the signal that Slurm sends ahead of a time limit, when some of its work is finished.
goes_on_after_signal() {  # ANSWER ARGUMENTS...
  submits -n2 long.sbatch "${@:2}" --journal journal --output results --json
  until_true 60 has_finished_chunks || die "no chunk is finished"
  slurm scancel --batch --signal=USR1 "$job"
  says "rankpool-$job.err" "stopped early in run 1: job $job is queued again" 60
  ends_after_requeues_as COMPLETED 120
  prints results "$1"
  went_on "$(finished_chunks)"
}

case $3 in
  limit-srun) limit srun ;;
  limit-mpirun) limit mpirun ;;
  limit-with-journal-srun) limit_with_journal srun ;;
  limit-with-journal-mpirun) limit_with_journal mpirun ;;
  limits-with-journal) limits_with_journal ;;
  cancelled-srun) cancelled srun ;;
  cancelled-mpirun) cancelled mpirun ;;
  goes-on-srun) goes_on_at_limit srun ;;
  goes-on-mpirun) goes_on_at_limit mpirun ;;
  goes-on-primes) goes_on_after_signal 2119654578 primes 1 5e10 --count --chunksize 5e8 ;;
  goes-on-factorials)
    numbers=$(seq 2000000 500000 7500000)
    # shellcheck disable=SC2086  # twelve of them
    expected=$(RANKPOOL_WORKERS=2 "$RANKPOOL" factorials $numbers --quiet) || die "the uninterrupted run fails"
    # shellcheck disable=SC2086
    goes_on_after_signal "$expected" factorials $numbers
    ;;
  no-progress)  # in two runs: they end it
    starts_waiting
    stops 1 "is queued again"
    stops 2 "not finished a single task, so the job is not queued again"
    ends_as FAILED
    ;;
  most-requeues)
    export RANKPOOL_MAX_REQUEUES=0
    starts_waiting
    stops 1 "RANKPOOL_MAX_REQUEUES is 0, so the job is not queued again"
    ends_as FAILED
    touch go
    submits -n2 long.sbatch exec --journal journal commands
    ends_as COMPLETED
    prints "rankpool-$job.out" "$(seq 3)"
    ;;
  array-goes-on)  # each task by itself
    for i in 1 2; do
      wait='trap "" USR1; until [ -e go ]; do sleep 0.1; done; echo waited'
      echo "exec --journal journal$i --stop-before 3s --output results$i ::: 'echo $i; echo $i >>ran' 'touch $i; $wait' '$wait' '$wait'" >>runs
    done
    submits -n2 --array=1-2 array.sbatch runs
    array=$job
    until_true 40 test -s ran -a -e 1 -a -e 2 || die "the commands have not started"
    job=${array}_2
    sleep 1.2  # a second is what may be lost
    slurm scancel --batch --signal=USR1 "$job"
    says "rankpool-$job.err" "stopped early in run 1: job $job is queued again" 30
    touch go
    ends_after_requeues_as COMPLETED 60
    [[ $(job_is Restarts) == 1 ]] || die "job $job was queued again $(job_is Restarts) times, not once"
    [[ $(job_is Restarts "${array}_1") == 0 ]] || die "the other was queued again, too"
    prints results2 "$(printf '%s\n' 2 waited waited waited)"
    prints results1 "$(printf '%s\n' 1 waited waited waited)"
    [[ $(sort ran | paste -sd' ') == "1 2" ]] || die "a command has run twice: $(paste -sd' ' ran)"
    ;;
  *) die "there is no case $3" ;;
esac
