# shellcheck shell=bash
# Sourced by the scripts of this folder. `launch JOB [options]` starts `rankpool` on the nodes of the allocation: one worker for each
# Slurm task, and rank 0 in addition. Rank 0 mostly waits, so it shares the CPU of a worker.
#
# `run_and_requeue` requeues a job with --journal that stops early (status 75). README.md lists what users can set.

slurm_folder=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

# The script that sources this file sets `script` to its own path; arguments may follow the path.
# shellcheck disable=SC2154
script_name() { basename "${script%%.sbatch*}"; }
say() { printf '%s.sbatch: %s\n' "$(script_name)" "$*" >&2; }
die() { say "$*"; exit 2; }

# Sets `program`.
find_program() {
  local folder submitted=${SLURM_SUBMIT_DIR:-$PWD}
  program=${RANKPOOL:-}
  for folder in "${slurm_folder%/*}/build/release/jobs" "$submitted/build/release/jobs"; do
    [[ -n $program || ! -x $folder/rankpool ]] || program=$folder/rankpool
  done
  [[ -n $program ]] || program=$(type -P rankpool) ||
    die "no build/release/jobs/rankpool in '${slurm_folder%/*}' or '$submitted'; build it with jobs/run, or set RANKPOOL=path"
  [[ -f $program && -x $program ]] || die "RANKPOOL ('$program') is not an executable file on node $(hostname); set the path of rankpool"
  program=$(readlink -f "$program")
}

# Sets `on_nodes` to the number of workers on each node. Slurm writes 4,4,2 as 4(x2),2.
find_workers() {
  local group groups=${SLURM_TASKS_PER_NODE:-1} share=1
  if [[ -z ${SLURM_NTASKS:-} ]]; then
    groups=${SLURM_JOB_CPUS_PER_NODE:-$groups} share=${SLURM_CPUS_PER_TASK:-1}
  fi
  on_nodes=()
  for group in ${groups//,/ }; do
    [[ $group =~ ^([0-9]+)(\(x([0-9]+)\))?$ ]] || die "unknown format of Slurm's tasks per node: '$group' in '$groups'"
    for ((i = 0; i < ${BASH_REMATCH[3]:-1}; ++i)); do on_nodes+=($((BASH_REMATCH[1] / share))); done
  done
}

in_batch_script() { [[ ${SLURMD_NODENAME:-} && ! ${SLURM_STEP_ID:-} ]]; }

# Sets `launcher` to the command that starts this number of ranks.
find_launcher() {  # RANKS
  # With the default fence of Slurm 22.05, some starts crash in MPI_Init: see README.md.
  export SLURM_PMIX_FENCE=${SLURM_PMIX_FENCE:-ring}
  export SLURM_EXPORT_ENV=ALL  # ranks get this script's environment even after `sbatch --export=NONE`; mpirun starts its daemons with srun
  local name=${RANKPOOL_LAUNCHER:-}
  if [[ -z $name ]]; then
    name=mpirun
    ! srun --mpi=list 2>&1 | grep -qw pmix || name=srun
    # Only in a batch script: with salloc, this script runs outside of the allocation, or in a step of it.
    if in_batch_script && type -P mpirun >/dev/null; then name=self; fi
  fi
  case $name in
    # The program starts itself with mpirun, so that it survives lost workers. Rank 0 has to be on this node then.
    self)
      ((${#on_nodes[@]} == 1)) || in_batch_script ||
        die "RANKPOOL_LAUNCHER=self requires a batch script or a job on one node; set it to srun or mpirun, or use sbatch"
      launcher=(env "RANKPOOL_WORKERS=$(($1 - 1))")
      ;;
    # If one rank dies, the others would wait for it until the time limit: --wait ends them 10 s later. (--kill-on-bad-exit also
    # kills ranks that are about to exit, and sometimes loses the exit status.)
    srun)
      place_ranks
      launcher=(srun --mpi=pmix --wait=10 --overcommit --cpu-bind=none --distribution=arbitrary "--ntasks=$1")
      ;;
    mpirun) launcher=(mpirun --oversubscribe -np "$1") ;;
    *) die "RANKPOOL_LAUNCHER is '$name'; set it to srun, mpirun or self" ;;
  esac
  type -P "${launcher[0]}" >/dev/null ||
    die "the launcher '${launcher[0]}' is not on the PATH, and srun has no pmix (srun --mpi=list); load the MPI that $program was built with"
}

# Tells srun the node of each rank. Otherwise srun counts CPUs and puts one rank too many on the last node if a worker has several
# CPUs. The variables that are unset here describe the tasks of the job, and do not hold for one rank more.
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

# Ends this job when its first node fails, where rank 0 and this script run. With --no-kill, Slurm would keep the job without a program.
# Each other node asks Slurm for the job's nodes every 30 s. The first remaining node requeues the job, as Slurm does without --no-kill, or
# cancels it if it may not be requeued. Slurm cancels this step when the script ends.
guard_first_node() {
  # shellcheck disable=SC2016  # the step expands it
  local nodes others errors watch='
    job=$1 first=$2 script=$3 stderr=$4
    while sleep 30; do
      nodes=$(squeue --noheader --states=RUNNING --jobs="$job" --format=%N) && [[ $nodes ]] || continue
      nodes=$(scontrol show hostnames "$nodes") && [[ $nodes ]] || continue
      ! grep -qxF -- "$first" <<<"$nodes" && [[ ${nodes%%[[:space:]]*} == "$SLURMD_NODENAME" ]] || continue
      what="the job is requeued, or cancelled if it may not be requeued"
      echo "$script.sbatch: node $first of job $job has failed, and rank 0 with it; $what" >>"$stderr"
      scontrol requeue "$job" || { scontrol show job "$job" | grep -q " Requeue=0 " && scancel "$job"; }
    done'
  mapfile -t nodes < <(scontrol show hostnames)
  local number=$((${#nodes[@]} - 1))
  others=$(IFS=,; echo "${nodes[*]:1}")
  errors=$(srun --mpi=none --overlap --no-kill --gres=none --ntasks-per-node=1 --ntasks=$number --nodes=$number --nodelist="$others" \
    bash -c "$watch" guard "$job" "${nodes[0]}" "$(script_name)" "$(readlink /proc/self/fd/2)" 2>&1 >/dev/null)
  ! grep -iE 'unable to (create|allocate)|invalid|not available' <<<"$errors" >&2 ||
    say "a failure of node ${nodes[0]} will not end the job (see above)"
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
  [[ ${launcher[0]} == env ]] ||
    say "if a rank ends, the whole run ends; with RANKPOOL_LAUNCHER=self, in a batch script, a run survives lost workers, and lost nodes other than the first"
}

launch() {  # JOB [options]
  [[ -n ${SLURM_JOB_ID:-} ]] || die "not in a Slurm allocation; start the script with slurm/submit, sbatch or salloc"
  (($# > 0)) || die "no job given; example: sbatch -n12 slurm/rankpool.sbatch factorials"
  job=$SLURM_JOB_ID
  [[ -z ${SLURM_ARRAY_TASK_ID:-} ]] || job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
  find_program
  find_workers
  find_launcher $((1 + $(IFS=+; echo "${on_nodes[*]}")))

  # A run with a journal stops early before this time. Slurm sets the variable itself only since 23.02.
  end=$(scontrol show job "$job" 2>/dev/null | sed -n 's/.* EndTime=\([0-9][^ ]*\).*/\1/p')
  unset SLURM_JOB_END_TIME  # it may belong to the allocation from which this job was submitted
  if [[ $end ]]; then
    SLURM_JOB_END_TIME=$(date -d "$end" +%s)
    export SLURM_JOB_END_TIME
  fi
  describe_run "$@"
  ! in_batch_script || ((${#on_nodes[@]} == 1)) || guard_first_node &

  find_journal "$@"
  # After exec, the launcher receives Slurm's signals, and its status is the job's. Within salloc there is no batch job to requeue.
  [[ -n $journal && ${SLURM_TASK_PID:-} == "$$" ]] || exec "${launcher[@]}" "$program" "$@"
  run_and_requeue "$@"
}

# Sets `journal` to the value of the option --journal, or to nothing. Words after -- or ::: are not options of the job.
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

# shellcheck disable=SC2034  # the scripts that source this file use `list`
# Sets `list` to the file of command lines: the first argument of exec that is a file and not the value of an option.
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

# Prints the number of finished items in the journal. If the journal is unreadable, prints its checksum, which shows a change.
progress() {
  [[ -s $journal ]] || { echo 0; return; }
  "$program" journal --failures 0 --slowest 0 "$journal" 2>/dev/null | awk '/^call / {sub(/.*: /, ""); sum += $1} END {print sum + 0}'
  ((PIPESTATUS[0] == 0)) || cat "$journal" "$journal-wal" 2>/dev/null | cksum
}

# Runs the launcher, and requeues the job if it has stopped early, at most RANKPOOL_MAX_REQUEUES times. A job is not requeued if two
# consecutive runs have finished no task; the first such run creates the file JOURNAL.stalled. After SIGTERM, the job is requeued only if it has
# reached its time limit. Otherwise SIGTERM comes from scancel, or from Slurm, which requeues the job itself if necessary.
run_and_requeue() {  # JOB [options]
  local before stalled='' most=${RANKPOOL_MAX_REQUEUES:-100} status signalled='' terminated='' run=$((${SLURM_RESTART_COUNT:-0} + 1))
  [[ $most =~ ^[0-9]+$ ]] || die "RANKPOOL_MAX_REQUEUES ('$most') is not a number; set it to the highest number of requeues"
  launched=
  trap 'signalled=yes; [[ ! $launched ]] || kill -USR1 "$launched" 2>/dev/null' USR1
  trap 'signalled=yes terminated=yes' TERM
  before=$(progress)
  if [[ $signalled ]]; then
    status=75  # stopped before the launcher was started
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
    say "job $job was terminated; submit it again with the same journal to resume"
  elif [[ $stalled && $(cat "$journal.stalled" 2>/dev/null) == "$job" ]]; then
    rm "$journal.stalled"
    say "job $job is not requeued: two consecutive runs finished no task; increase its time limit (sbatch -t), or use smaller tasks; '$journal' is kept"
  elif ((run > most)); then
    say "job $job stopped early in run $run and is not requeued: RANKPOOL_MAX_REQUEUES is $most; submit it again with the same journal to resume"
  else
    if [[ $stalled ]]; then echo "$job" >"$journal.stalled"; else rm -f "$journal.stalled"; fi
    say "job $job stopped early in run $run and is requeued; the next run resumes from '$journal'"
    scontrol requeue "$job" >&2 || say "job $job cannot be requeued (Slurm's reason is above); submit it again with the same journal to resume"
  fi
  exit "$status"
}
