#!/usr/bin/env bash
# scripts.sh CLUSTER COMMAND CASE: the scripts of slurm/ and `submit`, where nothing goes wrong but what is asked for.
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

# Twelve workers, four on each node, have a command each while the others have theirs; and rank 0 has none.
every_cpu_works() {  # LAUNCHER
  export RANKPOOL_LAUNCHER=$1
  for i in {1..12}; do echo "echo $i; touch $i; until [ -e 1 -a -e 2 -a -e 3 -a -e 4 -a -e 5 -a -e 6 -a -e 7 -a -e 8 -a -e 9 -a -e 10 -a -e 11 -a -e 12 ]; do sleep 0.1; done"; done >commands
  submits -N3 --exclusive exec.sbatch commands --timeout 40
  ends_as COMPLETED
  prints "exec-$job.out" "$(seq 12)"
  diff <(tail -n +2 "exec-$job.log" | cut -f 10 | sort -n) <(seq 12) >&2 || die "not every worker has had one command, see Rank"
  diff <(tail -n +2 "exec-$job.log" | cut -f 2 | sort | uniq -c) <(printf '      4 %s\n' n1 n2 n3) >&2 || die "not every CPU has had a worker"
  says "exec-$job.err" "workers on n1: 4 and rank 0, n2: 4, n3: 4$"
  says "exec-$job.err" "rankpool [0-9.]+, slurm.* [0-9.]+, mpirun \(Open MPI\) [0-9.]+"
  says "exec-$job.err" "exec.sbatch: $1 "
}

uneven() {  # LAUNCHER
  export RANKPOOL_LAUNCHER=$1
  submits -n5 --nodelist=n1,n2 rankpool.sbatch squares --to 3 --verbose
  ends_as COMPLETED
  prints "rankpool-$job.out" "$(printf 'Square of %s\n' '1: 1' '2: 4' '3: 9')"
  workers=$(sed -n 's/.* \([0-9]*\) workers\{0,1\}, rank.*/\1/p' "rankpool-$job.err" | paste -sd+)
  ((workers == 5)) || die "$workers workers, not 5"
}

# A command sees the allocation, and not the step of the launcher: it can start steps of its own.
steps() {  # LAUNCHER
  export RANKPOOL_LAUNCHER=$1
  # shellcheck disable=SC2016  # for the commands to expand
  printf '%s\n' 'srun -n1 --overlap hostname' 'srun -N2 -n2 --overlap hostname | sort' 'echo $SLURM_JOB_ID $SLURM_JOB_NUM_NODES' \
    'env | grep -E "^SLURM_(STEP|PROCID|LOCALID|NODEID|NTASKS|NPROCS|HOSTFILE|DISTRIBUTION|OVERCOMMIT|CPU_BIND|MPI_TYPE)"; true' >commands
  submits -N2 --ntasks-per-node=1 --nodelist=n1,n2 exec.sbatch commands --timeout 60
  ends_as COMPLETED
  prints "exec-$job.out" "$(printf '%s\n' n1 n1 n2 "$job 2")"
}

case $3 in
  every-cpu-works-srun) every_cpu_works srun ;;
  every-cpu-works-mpirun) every_cpu_works mpirun ;;
  steps-srun) steps srun ;;
  steps-mpirun) steps mpirun ;;
  uneven-srun) uneven srun ;;
  uneven-mpirun) uneven mpirun ;;
  threads)  # of a worker: it gets as many CPUs
    submits -N2 --ntasks-per-node=2 --cpus-per-task=2 rankpool.sbatch squares --to 1 --verbose
    ends_as COMPLETED
    says "rankpool-$job.err" "workers on n[12]: 2 and rank 0, n[23]: 2$"
    [[ $(job_is NumCPUs) == 8 ]] || die "the job has $(job_is NumCPUs) CPUs, not 8"
    submits -N2 --exclusive --cpus-per-task=2 rankpool.sbatch squares --to 1 --verbose
    ends_as COMPLETED
    says "rankpool-$job.err" "workers on n[12]: 2 and rank 0, n[23]: 2$"
    for RANKPOOL_LAUNCHER in srun mpirun; do  # and the nodes of an allocation need not be alike
      export RANKPOOL_LAUNCHER
      submits -n3 --cpus-per-task=2 rankpool.sbatch squares --to 1 --verbose
      ends_as COMPLETED
      says "rankpool-$job.err" "^rankpool: n[12]: 2 workers, ranks 1 to 2$"
      says "rankpool-$job.err" "^rankpool: n[23]: 1 workers?, ranks? 3( to 3)?$"
    done
    ;;
  environment)  # of the script is that of the ranks, also when the job itself was given none
    # shellcheck disable=SC2016  # for the commands to expand
    submits -n2 --export="NONE,RANKPOOL=$RANKPOOL" rankpool.sbatch exec ::: 'echo "$HOME"'
    ends_as COMPLETED
    [[ -n $(<"rankpool-$job.out") ]] || die "the commands have no HOME"
    ;;
  status)  # of the program is that of the job, by both launchers
    for RANKPOOL_LAUNCHER in srun mpirun; do
      export RANKPOOL_LAUNCHER
      printf 'true\nfalse\nexit 7\n' >commands
      submits -n2 exec.sbatch commands
      ends_as FAILED
      [[ $(job_is ExitCode) == 2:0 ]] || die "the status under $RANKPOOL_LAUNCHER is $(job_is ExitCode), not 2:0"
    done
    ;;
  array)
    printf '%s\n' 'squares --to 2' 'exec printf "%s\n" ::: "a  b"' 'cubes --from 3 --to 3' "squares --to '" >runs
    submits -n1 --array=1-5 array.sbatch runs
    ends_as "COMPLETED FAILED"
    prints "rankpool-${job}_1.out" "$(printf 'Square of 1: 1\nSquare of 2: 4')"
    prints "rankpool-${job}_2.out" "a  b"
    prints "rankpool-${job}_3.out" "Cube: 27"
    says "rankpool-${job}_4.err" "line 4 of runs cannot be taken apart"
    says "rankpool-${job}_5.err" "line 5 of runs is missing"
    ;;
  mistakes)
    submits -n1 rankpool.sbatch
    ends_as FAILED
    says "rankpool-$job.err" "a job is missing"
    submits -n1 exec.sbatch no-such-file
    ends_as FAILED
    says "exec-$job.err" "none of 'no-such-file' can be read"
    submits -n1 long.sbatch squares
    ends_as FAILED
    says "rankpool-$job.err" "no --journal FILE"
    submits -n1 array.sbatch /dev/null
    ends_as FAILED
    says "$(echo rankpool-"$job"_*.err)" "name a file with a run in each line first.*'/dev/null' cannot be read"
    echo squares >runs
    submits -n1 array.sbatch runs
    ends_as FAILED
    says "$(echo rankpool-"$job"_*.err)" "this is not an array: sbatch --array=1-1 "
    RANKPOOL_LAUNCHER=ssh submits -n1 rankpool.sbatch squares
    ends_as FAILED
    says "rankpool-$job.err" "RANKPOOL_LAUNCHER is srun or mpirun, not 'ssh'"
    RANKPOOL=/no/such submits -n1 rankpool.sbatch squares
    ends_as FAILED
    says "rankpool-$job.err" "RANKPOOL=/no/such is not a program"
    slurm "$scripts/rankpool.sbatch" squares 2>stderr && die "without an allocation its status is 0"
    says stderr "no allocation"
    ;;
  salloc)
    slurm salloc -Q -n3 "$scripts/rankpool.sbatch" squares --to 2 >stdout 2>stderr || die "status $?"
    prints stdout "$(printf 'Square of 1: 1\nSquare of 2: 4')"
    says stderr "workers on n[123]: [1-3] and rank 0"
    ;;
  drained)  # two nodes of three do the work
    slurm scontrol update nodename=n3 state=drain reason=test
    trap 'slurm scontrol update nodename=n3 state=resume; at_end' EXIT
    [[ $(slurm sinfo -h -n n3 -o %t -p main) == dr* ]] || die "n3 is not drained"
    for i in {1..24}; do echo 'sleep 0.1'; done >commands
    submits -N2 --exclusive exec.sbatch commands
    ends_as COMPLETED
    [[ $(tail -n +2 "exec-$job.log" | cut -f 2 | sort -u | paste -sd' ') == "n1 n2" ]] || die "commands have run elsewhere than on n1 and n2"
    ;;
  submit-dry-run)
    dry() { slurm "$scripts/submit" --dry-run "$@" >stdout 2>stderr || die "submit --dry-run $* has status $?"; }
    printf 'true\n%.0s' 1 2 3 >commands
    dry primes 1 1e9 --count
    [[ $(<stderr) =~ ^"sbatch --parsable --ntasks="([1-9]|1[0-2])" $scripts/rankpool.sbatch primes 1 1e9 --count"$ ]] || die "$(<stderr)"
    [[ ! -s stdout ]] || die "it prints to stdout"
    dry exec commands  # no more workers than lines
    [[ $(<stderr) =~ ^"sbatch --parsable --ntasks="[1-3]" $scripts/exec.sbatch commands"$ ]] || die "$(<stderr)"
    dry --workers 5 exec commands
    prints stderr "sbatch --parsable --ntasks=5 $scripts/exec.sbatch commands"
    dry --workers=7 --threads 2 --time 5 --partition main --mail-type=END squares --journal x
    prints stderr "sbatch --parsable --ntasks=7 --cpus-per-task=2 --time=5 --partition=main --mail-type=END $scripts/long.sbatch squares --journal x"
    dry --workers 1 --array commands -- --json
    prints stderr "sbatch --parsable --ntasks=1 --array=1-3 $scripts/array.sbatch commands --json"
    dry --partition short --workers 1 squares  # whose limit is below that of the script
    prints stderr "sbatch --parsable --ntasks=1 --time=30:00 --partition=short $scripts/rankpool.sbatch squares"
    dry --workers 1 --job-name="dry-$$" squares
    [[ -z $(slurm squeue -h -t all -n "dry-$$") ]] || die "a job was submitted all the same"
    ;;
  submit-follows)
    slurm "$scripts/submit" --follow --workers 2 --job-name=followed exec ::: 'echo a; sleep 1; echo b' 'echo oh >&2; exit 3' >stdout 2>stderr
    (($? == 1)) || die "the status is not that of the job, 1"
    prints stdout "$(printf 'a\nb')"
    says stderr "^oh$"
    says stderr "FAILED"
    job=$(slurm "$scripts/submit" --workers 2 squares --to 1 2>stderr) || die "status $?"
    cases_jobs+=("$job")
    ends_as COMPLETED
    ;;
  submit-mistakes)
    refuses() {  # REGEX ARGUMENT...
      slurm "$scripts/submit" "${@:2}" >stdout 2>stderr
      (($? == 2)) || die "submit ${*:2} has a status other than 2"
      says stderr "$1" 1
    }
    refuses "name a job"
    refuses "there is no job 'prime'" prime
    refuses "there is no option --nodes" --nodes 3 squares
    refuses "--workers takes a number, not 'many'" --workers many squares
    refuses "--workers takes a value" --workers
    refuses "--wait stands before the job" squares --wait
    refuses "name a file of commands" exec
    echo true >kept
    refuses "name a file of commands" exec --journal kept --timeout 5
    refuses "--array no-such-file cannot be read" --array no-such-file
    refuses "no partition --partition=no-such" --partition no-such squares
    printf 'squares\n\n' >runs
    refuses "line 2 of runs is empty" --array runs
    ;;
  *) die "there is no case $3" ;;
esac
