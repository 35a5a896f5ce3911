# shellcheck shell=bash
# Sourced by the scripts of this folder. `launch JOB [options]` starts the command `rankpool` on the nodes of the allocation, once for
# each task that Slurm was asked for, and once more: rank 0 mostly waits, so it shares the CPU of a worker.
#
# A job with --journal that stops early (status 75) is queued again until it is done: see `go_on`. README.md tells what users can set.

slurm_folder=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

# Who sources this has its own path in `script`, perhaps with arguments after it.
# shellcheck disable=SC2154
say() { printf '%s.sbatch: %s\n' "$(basename "${script%%.sbatch*}")" "$*" >&2; }
die() { say "$*"; exit 2; }

# Sets `program`.
find_program() {
  local folder submitted=${SLURM_SUBMIT_DIR:-$PWD}
  program=${RANKPOOL:-}
  for folder in "${slurm_folder%/*}/build/release/jobs" "$submitted/build/release/jobs"; do
    [[ -n $program || ! -x $folder/rankpool ]] || program=$folder/rankpool
  done
  [[ -n $program ]] || program=$(type -P rankpool) ||
    die "found no build/release/jobs/rankpool in ${slurm_folder%/*} or $submitted; build it with jobs/run, or name it: RANKPOOL=path"
  [[ -f $program && -x $program ]] || die "RANKPOOL=$program is not a program that node $(hostname) can run"
  program=$(readlink -f "$program")
}

# Sets `on_nodes`, how many there are on each node. Slurm writes 4,4,2 as 4(x2),2.
find_workers() {
  local group groups=${SLURM_TASKS_PER_NODE:-1} share=1
  if [[ -z ${SLURM_NTASKS:-} ]]; then
    groups=${SLURM_JOB_CPUS_PER_NODE:-$groups} share=${SLURM_CPUS_PER_TASK:-1}
  fi
  on_nodes=()
  for group in ${groups//,/ }; do
    [[ $group =~ ^([0-9]+)(\(x([0-9]+)\))?$ ]] || die "cannot read the number of tasks of a node, '$group' in '$groups'"
    for ((i = 0; i < ${BASH_REMATCH[3]:-1}; ++i)); do on_nodes+=($((BASH_REMATCH[1] / share))); done
  done
}

# Sets `launcher`, the command that starts as many ranks.
find_launcher() {  # RANKS
  # With the tree fence of Slurm 22.05, its default, ranks on three nodes now and then crash in MPI_Init: see README.md.
  export SLURM_PMIX_FENCE=${SLURM_PMIX_FENCE:-ring}
  export SLURM_EXPORT_ENV=ALL  # ranks have this script's environment, after `sbatch --export=NONE`, too; mpirun starts its daemons with srun
  local name=${RANKPOOL_LAUNCHER:-}
  if [[ -z $name ]]; then
    name=mpirun
    ! srun --mpi=list 2>&1 | grep -qw pmix || name=srun
  fi
  case $name in
    # All ranks end together. When one dies alone, the others would wait for it until the time limit: end them 10 s later. (With
    # --kill-on-bad-exit ranks that are about to end by themselves get killed, and the exit status is sometimes lost.)
    srun)
      place_ranks
      launcher=(srun --mpi=pmix --wait=10 --overcommit --cpu-bind=none --distribution=arbitrary "--ntasks=$1")
      ;;
    mpirun) launcher=(mpirun --oversubscribe -np "$1") ;;
    *) die "RANKPOOL_LAUNCHER is srun or mpirun, not '$name'" ;;
  esac
  type -P "${launcher[0]}" >/dev/null ||
    die "srun offers no pmix here (srun --mpi=list) and there is no mpirun on the PATH: load the MPI that $program was built with"
}

# Tells srun the node of each rank. By itself it would count CPUs, and put one rank too many on the last node when a worker has several; and
# what it reads here of the job, such as CPUs of a task, is not for one rank more than there are tasks.
place_ranks() {
  local nodes i count hosts='' file
  mapfile -t nodes < <(scontrol show hostnames)
  for i in "${!nodes[@]}"; do
    for ((count = on_nodes[i] + (i == 0); count > 0; --count)); do hosts+=${nodes[i]}$'\n'; done
  done
  unset SLURM_CPUS_PER_TASK SLURM_NTASKS_PER_NODE SLURM_DISTRIBUTION
  exec {file}<<<"${hosts%$'\n'}"  # stays open for srun
  export SLURM_HOSTFILE=/dev/fd/$file
}

describe_run() {
  local nodes i map=() command
  mapfile -t nodes < <(scontrol show hostnames)
  for i in "${!nodes[@]}"; do map+=("${nodes[i]}: ${on_nodes[i]:-0}"); done
  map[0]+=' and rank 0'
  printf -v map '%s, ' "${map[@]}"
  say "job $job, run $((${SLURM_RESTART_COUNT:-0} + 1))${end:+ until $(date -d "$end" +%FT%T)}; workers on ${map%, }"
  say "$("$program" --version), $(sinfo --version), $(mpirun --version 2>/dev/null | head -n 1)"
  printf -v command ' %q' "${launcher[@]}" "$program" "$@"
  say "${command# }"
}

launch() {  # JOB [options]
  [[ -n ${SLURM_JOB_ID:-} ]] || die "no allocation: start it with slurm/submit, sbatch, or within salloc"
  (($# > 0)) || die "a job is missing, as in: sbatch -n12 slurm/rankpool.sbatch factorials"
  job=$SLURM_JOB_ID
  [[ -z ${SLURM_ARRAY_TASK_ID:-} ]] || job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
  find_program
  find_workers
  find_launcher $((1 + $(IFS=+; echo "${on_nodes[*]}")))

  # So that a run with a journal stops in time. Slurm has told it since 23.02 only.
  end=$(scontrol show job "$job" 2>/dev/null | sed -n 's/.* EndTime=\([0-9][^ ]*\).*/\1/p')
  unset SLURM_JOB_END_TIME  # it may be of the allocation that this job was submitted from
  if [[ $end ]]; then
    SLURM_JOB_END_TIME=$(date -d "$end" +%s)
    export SLURM_JOB_END_TIME
  fi
  describe_run "$@"

  find_journal "$@"
  # A script that becomes the launcher has its status, and gets its signals. Within salloc there is nothing to queue again.
  [[ -n $journal && ${SLURM_TASK_PID:-} == "$$" ]] || exec "${launcher[@]}" "$program" "$@"
  go_on "$@"
}

# Sets `journal` to the file after --journal, if that is among the options. What follows -- or ::: is not ours.
find_journal() {
  journal=
  while (($# > 0)) && [[ $1 != -- && $1 != ::: ]]; do
    case $1 in
      --journal) journal=${2:-} ;;
      --journal=*) journal=${1#*=} ;;
    esac
    shift
  done
}

# shellcheck disable=SC2034  # `list` is for those who source this
# Sets `list` to the first argument of exec that is a file, the one with command lines, and not the value of an option.
find_list() {
  local with_value
  list=
  [[ ${program:-} ]] || find_program
  with_value=" $("$program" exec --help | sed -n 's/^ *\(--[a-z-]*\) [A-Z].*/\1/p' | tr '\n' ' ')"
  while (($# > 0)) && [[ $1 != -- && $1 != ::: ]]; do
    if [[ $with_value == *" $1 "* ]]; then
      shift
    elif [[ -f $1 && -r $1 ]]; then
      list=$1
      return
    fi
    shift
  done
}

# How many items are finished, as the journal tells it; where it cannot be looked into, whether it has changed.
progress() {
  [[ -s $journal ]] || { echo 0; return; }
  "$program" journal --failures 0 --slowest 0 "$journal" 2>/dev/null | awk '/^call / {sub(/.*: /, ""); sum += $1} END {print sum + 0}'
  ((PIPESTATUS[0] == 0)) || cat "$journal" "$journal-wal" 2>/dev/null | cksum
}

# Runs the launcher, and queues the job again if it has stopped early. That ends at some time: after RANKPOOL_MAX_REQUEUES, or when two
# runs of the job one after the other have not finished a single task, which JOURNAL.stalled remembers. After a TERM only if it was
# for the time limit, when a task took too long; others are from scancel, or from Slurm, which then queues again what is to be.
go_on() {  # JOB [options]
  local before stalled='' most=${RANKPOOL_MAX_REQUEUES:-100} status signalled='' terminated='' run=$((${SLURM_RESTART_COUNT:-0} + 1))
  [[ $most =~ ^[0-9]+$ ]] || die "RANKPOOL_MAX_REQUEUES takes a number, not '$most'"
  launched=
  trap 'signalled=yes; [[ ! $launched ]] || kill -USR1 "$launched" 2>/dev/null' USR1
  trap 'signalled=yes terminated=yes' TERM
  before=$(progress)
  if [[ $signalled ]]; then
    status=75  # before it has begun
  else
    "${launcher[@]}" "$program" "$@" &
    launched=$!
    [[ ! $signalled ]] || kill -USR1 "$launched"
    while
      signalled=
      wait "$launched"
      status=$?
      [[ $signalled ]]
    do :; done
  fi
  trap '' USR1 TERM

  if [[ $terminated ]] && scontrol show job "$job" | grep -q ' Reason=TimeLimit '; then
    terminated='' status=75
  fi
  [[ $status != 75 || $(progress) != "$before" ]] || stalled=yes
  if ((status != 75)); then
    rm -f "$journal.stalled"
  elif [[ $terminated ]]; then
    say "job $job was ended from outside; submit it anew with the same journal to go on"
  elif [[ $stalled && $(cat "$journal.stalled" 2>/dev/null) == "$job" ]]; then
    rm "$journal.stalled"
    say "two runs have not finished a single task, so the job is not queued again: give it more time (sbatch -t), or smaller tasks; $journal is kept"
  elif ((run > most)); then
    say "stopped early in run $run, and RANKPOOL_MAX_REQUEUES is $most, so the job is not queued again; submit it anew with the same journal to go on"
  else
    if [[ $stalled ]]; then echo "$job" >"$journal.stalled"; else rm -f "$journal.stalled"; fi
    say "stopped early in run $run: job $job is queued again, and will go on from $journal"
    scontrol requeue "$job" >&2 || say "job $job cannot be queued again, as said above; submit it anew with the same journal to go on"
  fi
  exit "$status"
}
