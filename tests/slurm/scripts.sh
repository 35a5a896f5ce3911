#!/usr/bin/env bash
# scripts.sh CLUSTER COMMAND CASE: tests the scripts of slurm/ and `submit`: normal runs and usage errors.
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

# Twelve workers, four on each node, each run one command at the same time. Rank 0 runs none.
every_cpu_works() {  # LAUNCHER
  export RANKPOOL_LAUNCHER=$1
  for i in {1..12}; do echo "echo $i; touch $i; until [ -e 1 -a -e 2 -a -e 3 -a -e 4 -a -e 5 -a -e 6 -a -e 7 -a -e 8 -a -e 9 -a -e 10 -a -e 11 -a -e 12 ]; do sleep 0.1; done"; done >commands
  submit -N3 --exclusive exec.sbatch commands --timeout 40
  expect_end COMPLETED
  expect_text "exec-$job.out" "$(seq 12)"
  diff <(tail -n +2 "exec-$job.log" | cut -f 10 | sort -n) <(seq 12) >&2 || die "not every worker ran exactly one command: see the column Rank"
  diff <(tail -n +2 "exec-$job.log" | cut -f 2 | sort | uniq -c) <(printf '      4 %s\n' n1 n2 n3) >&2 || die "not every CPU had a worker"
  expect_line "exec-$job.err" "workers on n1: 4 and rank 0, n2: 4, n3: 4$"
  expect_line "exec-$job.err" "rankpool [0-9.]+, slurm.* [0-9.]+, mpirun \(Open MPI\) [0-9.]+"
  local launcher=$1
  [[ $1 != self ]] || launcher='env RANKPOOL_WORKERS=12'
  expect_line "exec-$job.err" "exec.sbatch: $launcher "
}

uneven() {  # LAUNCHER
  export RANKPOOL_LAUNCHER=$1
  submit -n5 --nodelist=n1,n2 rankpool.sbatch squares --to 3 --verbose
  expect_end COMPLETED
  expect_text "rankpool-$job.out" "$(printf 'Square of %s\n' '1: 1' '2: 4' '3: 9')"
  workers=$(sed -n 's/.* \([0-9]*\) workers\{0,1\}, rank.*/\1/p' "rankpool-$job.err" | paste -sd+)
  ((workers == 5)) || die "the number of workers is $workers, expected 5"
}

# A command has the variables of the allocation, but not those of the launcher's step, so it can start its own steps.
steps() {  # LAUNCHER
  export RANKPOOL_LAUNCHER=$1
  # shellcheck disable=SC2016  # for the commands to expand
  printf '%s\n' 'srun -n1 --overlap hostname' 'srun -N2 -n2 --overlap hostname | sort' 'echo $SLURM_JOB_ID $SLURM_JOB_NUM_NODES' \
    'env | grep -E "^SLURM_(STEP|PROCID|LOCALID|NODEID|NTASKS|NPROCS|HOSTFILE|DISTRIBUTION|OVERCOMMIT|CPU_BIND|MPI_TYPE)"; true' >commands
  submit -N2 --ntasks-per-node=1 --nodelist=n1,n2 exec.sbatch commands --timeout 60
  expect_end COMPLETED
  expect_text "exec-$job.out" "$(printf '%s\n' n1 n1 n2 "$job 2")"
}

# Submits six commands to workers on three nodes, and waits until each node runs one. They end when the file `continue` exists.
start_waiting_commands() {
  # shellcheck disable=SC2016  # for the commands to expand
  local letter commands=() wait='touch "began-$(hostname)"; until test -e continue; do sleep 0.1; done; echo'
  for letter in a b c d e f; do commands+=("$wait $letter"); done
  submit -N3 --ntasks-per-node=1 rankpool.sbatch exec ::: "${commands[@]}"
  until_true $patience test -e began-n1 -a -e began-n2 -a -e began-n3 || die "the commands have not begun on all nodes"
}

# Makes a node fail until the end of the test case.
fail_node() {  # crash|unplug|power-off NODE
  trap '"$here/cluster" repair "$cluster_folder"; at_end' EXIT
  "$here/cluster" "$1" "$cluster_folder" "$2" || die "$1 $2 fails"
}

lost_on() { echo "^rankpool: rank [1-3] \($1\) was lost: its process has ended, or its network or node has failed .*; 1 task runs again"; }

# Slurm takes the job for completing until its nodes answer.
has_succeeded() { [[ "$(job_field JobState) $(job_field ExitCode)" == COMPLET*" 0:0" ]]; }

has_no_worker() { [[ ! $("$here/cluster" on "$cluster_folder" "$1" pgrep -x rankpool) ]]; }

case $3 in
  every-cpu-works-srun) every_cpu_works srun ;;
  every-cpu-works-mpirun) every_cpu_works mpirun ;;
  every-cpu-works-self) every_cpu_works self ;;
  steps-srun) steps srun ;;
  steps-mpirun) steps mpirun ;;
  steps-self) steps self ;;
  uneven-srun) uneven srun ;;
  uneven-mpirun) uneven mpirun ;;
  uneven-self) uneven self ;;
  threads)  # a worker with several threads gets as many CPUs
    submit -N2 --ntasks-per-node=2 --cpus-per-task=2 rankpool.sbatch squares --to 1 --verbose
    expect_end COMPLETED
    expect_line "rankpool-$job.err" "workers on n[12]: 2 and rank 0, n[23]: 2$"
    [[ $(job_field NumCPUs) == 8 ]] || die "the job has $(job_field NumCPUs) CPUs, expected 8"
    submit -N2 --exclusive --cpus-per-task=2 rankpool.sbatch squares --to 1 --verbose
    expect_end COMPLETED
    expect_line "rankpool-$job.err" "workers on n[12]: 2 and rank 0, n[23]: 2$"
    for RANKPOOL_LAUNCHER in srun mpirun; do  # with different numbers of workers on the nodes
      export RANKPOOL_LAUNCHER
      submit -n3 --cpus-per-task=2 rankpool.sbatch squares --to 1 --verbose
      expect_end COMPLETED
      expect_line "rankpool-$job.err" "^rankpool: n[12]: 2 workers, ranks 1 to 2$"
      expect_line "rankpool-$job.err" "^rankpool: n[23]: 1 workers?, ranks? 3( to 3)?$"
    done
    ;;
  environment)  # ranks have the environment of the script, even if sbatch exports none
    # shellcheck disable=SC2016  # for the commands to expand
    submit -n2 --export="NONE,RANKPOOL=$RANKPOOL" rankpool.sbatch exec ::: 'echo "$HOME"'
    expect_end COMPLETED
    [[ -n $(<"rankpool-$job.out") ]] || die "HOME is not set for the commands"
    ;;
  recovery)  # Open MPI's recovery, which a user may turn on, does not make workers of other nodes take rank 0 for lost
    for RANKPOOL_LAUNCHER in srun mpirun; do
      export RANKPOOL_LAUNCHER OMPI_MCA_orte_enable_recovery=1
      submit -N3 --ntasks-per-node=1 --time=1 rankpool.sbatch exec ::: 'sleep 2; echo done' 'sleep 2; echo done' 'sleep 2; echo done'
      expect_end COMPLETED
      expect_text "rankpool-$job.out" "$(printf '%s\n' done done done)"
    done
    ;;
  lost-worker)  # the command of a lost worker runs again; by default the program starts itself
    # shellcheck disable=SC2016  # for the commands to expand
    submit -N1 -n3 rankpool.sbatch exec ::: 'test -e mark || { touch mark; kill -KILL $PPID; exec sleep 300; }; echo a' 'echo b'
    expect_end COMPLETED
    expect_text "rankpool-$job.out" "$(printf 'a\nb')"
    expect_line "rankpool-$job.err" "env RANKPOOL_WORKERS=3 .*/rankpool exec"
    expect_line "rankpool-$job.err" "^rankpool: rank [1-3] \(n[123]\) was lost: its process has ended, by SIGKILL"
    ;;
  lost-worker-of-other-node)
    # shellcheck disable=SC2016  # for the commands to expand
    kills='test -e "mark-$(hostname)" || { touch "mark-$(hostname)"; kill -KILL $PPID; exec sleep 300; }; sleep 1'
    submit -N3 --ntasks-per-node=2 --time=2 rankpool.sbatch exec ::: "$kills; echo a" "$kills; echo b" "$kills; echo c" \
      'sleep 2; echo d' 'sleep 2; echo e' 'sleep 2; echo f' "$kills; echo g" "$kills; echo h"
    expect_end COMPLETED
    expect_text "rankpool-$job.out" "$(printf '%s\n' a b c d e f g h)"
    expect_line "rankpool-$job.err" "env RANKPOOL_WORKERS=6 .*/rankpool exec"
    for node in n2 n3; do
      [[ ! -e mark-$node ]] || expect_line "rankpool-$job.err" \
        "^rankpool: rank [1-6] \($node\) was lost: its process has ended, or its network or node has failed .*; [0-9]+ tasks? runs? again"
    done
    [[ -e mark-n2 || -e mark-n3 ]] || die "no worker of another node was killed"
    ;;
  crashed-node)  # its commands run again on other nodes, also after Slurm has taken it out of the job
    start_waiting_commands
    fail_node crash n3
    expect_line "rankpool-$job.err" "$(lost_on n3)" $patience
    slurm scontrol update nodename=n3 state=down reason=crashed || die "scontrol fails"
    touch continue
    expect_end COMPLETED
    expect_text "rankpool-$job.out" "$(printf '%s\n' a b c d e f)"
    ;;
  silent-nodes)  # nodes whose connections are not closed: one is cut off, one has lost its power
    start_waiting_commands
    fail_node unplug n2
    fail_node power-off n3
    expect_line "rankpool-$job.err" "$(lost_on n2)" $patience
    expect_line "rankpool-$job.err" "$(lost_on n3)" $patience
    touch continue
    until_true $patience has_succeeded || die "the state of job $job is $(job_field JobState), its status is $(job_field ExitCode)"
    expect_text "rankpool-$job.out" "$(printf '%s\n' a b c d e f)"
    until_true $patience has_no_worker n2 || die "the worker that was cut off has not ended"
    ;;
  first-node)  # the job is requeued when the node of rank 0 fails
    start_waiting_commands
    fail_node crash n1
    slurm scontrol update nodename=n1 state=down reason=crashed || die "scontrol fails"
    touch continue
    expect_line "rankpool-$job.err" "^rankpool.sbatch: node n1 of job $job has failed, and rank 0 with it" $patience
    "$here/cluster" repair "$cluster_folder" || die "the nodes are not repaired"
    expect_end_after_requeues COMPLETED
    expect_text "rankpool-$job.out" "$(printf '%s\n' a b c d e f)"
    ;;
  faults-srun)  # under srun, a fault that ends a worker ends the run, and isolated tasks with faults do not
    programs=${RANKPOOL%/jobs/rankpool}/tests/programs
    faults='abort terminate throw-while-unwinding double-free heap-overwritten segfault stack-overflow thread-crashes exit-0 exit-3
      longjmp-to-main exec kill-group'
    run='srun --mpi=pmix --overcommit --ntasks=4 --wait=5'
    job=$(slurm sbatch --parsable --time=5 -N2 --ntasks-per-node=2 --output=out --error=err --export="ALL,SLURM_PMIX_FENCE=ring" --wrap "
      for fault in $(tr -s '\n ' ' ' <<<"$faults"); do timeout 60 $run '$programs/fault_program' \$fault plain; echo \$fault: status \$?; done
      timeout 120 $run '$programs/fault_program' all isolated >isolated") || die "sbatch fails"
    submitted_jobs+=("$job")
    expect_end COMPLETED
    for fault in $faults; do
      expect_line out "^$fault: status [0-9]+$"
      ! grep -qxE "$fault: (status (0|124)|value .*|worker_lost.*)" out || die "the fault $fault does not end the run, or does not end"
    done
    diff isolated "$here/../programs/expected/isolated_faults.txt" >&2 || die "the isolated tasks have other results"
    ;;
  status)  # the job's status is that of the program, with each launcher
    for RANKPOOL_LAUNCHER in srun mpirun self; do
      export RANKPOOL_LAUNCHER
      printf 'true\nfalse\nexit 7\n' >commands
      submit -N2 --ntasks-per-node=1 exec.sbatch commands
      expect_end FAILED
      [[ $(job_field ExitCode) == 2:0 ]] || die "the status under $RANKPOOL_LAUNCHER is $(job_field ExitCode), expected 2:0"
    done
    ;;
  array)
    printf '%s\n' 'squares --to 2' 'exec printf "%s\n" ::: "a  b"' 'cubes --from 3 --to 3' "squares --to '" >runs
    submit -n1 --array=1-5 array.sbatch runs
    expect_end "COMPLETED FAILED"
    expect_text "rankpool-${job}_1.out" "$(printf 'Square of 1: 1\nSquare of 2: 4')"
    expect_text "rankpool-${job}_2.out" "a  b"
    expect_text "rankpool-${job}_3.out" "Cube: 27"
    expect_line "rankpool-${job}_4.err" "line 4 of 'runs' cannot be split into words"
    expect_line "rankpool-${job}_5.err" "line 5 of 'runs' is missing"
    ;;
  usage-errors)
    submit -n1 rankpool.sbatch
    expect_end FAILED
    expect_line "rankpool-$job.err" "no job given"
    submit -n1 exec.sbatch no-such-file
    expect_end FAILED
    expect_line "exec-$job.err" "no readable file of command lines in 'no-such-file'"
    submit -n1 long.sbatch squares
    expect_end FAILED
    expect_line "rankpool-$job.err" "--journal FILE is required"
    submit -n1 array.sbatch /dev/null
    expect_end FAILED
    expect_line "$(echo rankpool-"$job"_*.err)" "the file of runs '/dev/null' cannot be read"
    echo squares >runs
    submit -n1 array.sbatch runs
    expect_end FAILED
    expect_line "$(echo rankpool-"$job"_*.err)" "not a job array; use: sbatch --array=1-1 "
    RANKPOOL_LAUNCHER=ssh submit -n1 rankpool.sbatch squares
    expect_end FAILED
    expect_line "rankpool-$job.err" "RANKPOOL_LAUNCHER is 'ssh'; set it to srun, mpirun or self"
    RANKPOOL=/no/such submit -n1 rankpool.sbatch squares
    expect_end FAILED
    expect_line "rankpool-$job.err" "RANKPOOL \('/no/such'\) is not an executable file on node n[123]"
    slurm "$scripts/rankpool.sbatch" squares 2>stderr && die "the status without an allocation is 0"
    expect_line stderr "not in a Slurm allocation"
    ;;
  salloc)
    slurm salloc -Q -n3 "$scripts/rankpool.sbatch" squares --to 2 >stdout 2>stderr || die "status $?"
    expect_text stdout "$(printf 'Square of 1: 1\nSquare of 2: 4')"
    expect_line stderr "workers on n[123]: [1-3] and rank 0"
    ;;
  drained)  # the job runs on the two nodes that are not drained
    slurm scontrol update nodename=n3 state=drain reason=test
    trap 'slurm scontrol update nodename=n3 state=resume; at_end' EXIT
    [[ $(slurm sinfo -h -n n3 -o %t -p main) == dr* ]] || die "n3 is not drained"
    for i in {1..24}; do echo 'sleep 0.1'; done >commands
    submit -N2 --exclusive exec.sbatch commands
    expect_end COMPLETED
    [[ $(tail -n +2 "exec-$job.log" | cut -f 2 | sort -u | paste -sd' ') == "n1 n2" ]] || die "the commands did not run on n1 and n2"
    ;;
  submit-dry-run)
    dry() { slurm "$scripts/submit" --dry-run "$@" >stdout 2>stderr || die "submit --dry-run $* has status $?"; }
    printf 'true\n%.0s' 1 2 3 >commands
    dry primes 1 1e9 --count
    [[ $(<stderr) =~ ^"sbatch --parsable --ntasks="([1-9]|1[0-2])" $scripts/rankpool.sbatch primes 1 1e9 --count"$ ]] || die "$(<stderr)"
    [[ ! -s stdout ]] || die "submit --dry-run prints to stdout"
    dry exec commands  # no more workers than lines
    [[ $(<stderr) =~ ^"sbatch --parsable --ntasks="[1-3]" $scripts/exec.sbatch commands"$ ]] || die "$(<stderr)"
    dry --workers 5 exec commands
    expect_text stderr "sbatch --parsable --ntasks=5 $scripts/exec.sbatch commands"
    dry --workers=7 --threads 2 --time 5 --partition main --mail-type=END squares --journal x
    expect_text stderr "sbatch --parsable --ntasks=7 --cpus-per-task=2 --time=5 --partition=main --mail-type=END $scripts/long.sbatch squares --journal x"
    dry --workers 1 --array commands -- --json
    expect_text stderr "sbatch --parsable --ntasks=1 --array=1-3 $scripts/array.sbatch commands --json"
    dry --partition short --workers 1 squares  # the partition's time limit is below that of the script
    expect_text stderr "sbatch --parsable --ntasks=1 --time=30:00 --partition=short $scripts/rankpool.sbatch squares"
    dry --workers 1 --job-name="dry-$$" squares
    [[ -z $(slurm squeue -h -t all -n "dry-$$") ]] || die "submit --dry-run submitted a job"
    ;;
  submit-follow)
    slurm "$scripts/submit" --follow --workers 2 --job-name=followed exec ::: 'echo a; sleep 1; echo b' 'echo oh >&2; exit 3' >stdout 2>stderr
    (($? == 1)) || die "the status differs from that of the job, 1"
    expect_text stdout "$(printf 'a\nb')"
    expect_line stderr "^oh$"
    expect_line stderr "FAILED"
    job=$(slurm "$scripts/submit" --workers 2 squares --to 1 2>stderr) || die "status $?"
    submitted_jobs+=("$job")
    expect_end COMPLETED
    ;;
  submit-usage-errors)
    expect_error() {  # REGEX ARGUMENT...
      slurm "$scripts/submit" "${@:2}" >stdout 2>stderr
      (($? == 2)) || die "the status of 'submit ${*:2}' is not 2"
      expect_line stderr "$1" 1
    }
    expect_error "no job given"
    expect_error "unknown job 'prime'" prime
    expect_error "unknown option '--nodes'" --nodes 3 squares
    expect_error "--workers \('many'\) is not a number" --workers many squares
    expect_error "--workers requires a value" --workers
    expect_error "--wait must precede the job" squares --wait
    expect_error "exec requires a file of commands" exec
    echo true >kept
    expect_error "exec requires a file of commands" exec --journal kept --timeout 5
    expect_error "the file of --array 'no-such-file' cannot be read" --array no-such-file
    expect_error "unknown partition 'no-such'" --partition no-such squares
    printf 'squares\n\n' >runs
    expect_error "line 2 of 'runs' is empty" --array runs
    ;;
  *) die "unknown case '$3'" ;;
esac
