# shellcheck shell=bash
# Sourced by scripts.sh and stopping.sh. Their arguments are the folder of the cluster, the program `rankpool` and the name of a case.
#
# A case works in the folder `scratch`, which all nodes share, and cancels its jobs at the end. Its status is 0 if it passes, 1 after
# a message if it fails, and 77 if no cluster runs.
set -u

cluster_folder=$1
export RANKPOOL=$2
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
scripts=${here%/tests/slurm}/slurm
# shellcheck source=../support/waiting.sh
source "$here/../support/waiting.sh"
unset RANKPOOL_LAUNCHER RANKPOOL_MAX_REQUEUES RANKPOOL_WORKERS "${!SLURM_@}"  # the tests may be called within a job

[[ -e $cluster_folder/run/keeper.pid ]] || { echo "no cluster runs: $("$here/cluster" check)"; exit 77; }
scratch=$(mktemp -d "$cluster_folder/case.XXXXXX")
cd "$scratch" || exit 1
submitted_jobs=()

at_end() {
  ((${#submitted_jobs[@]} == 0)) || slurm scancel -Q "${submitted_jobs[@]}" >/dev/null 2>&1
  rm -rf "$scratch"
}
trap at_end EXIT
trap 'exit 1' TERM INT HUP

# slurm COMMAND...: runs a command on the login node.
slurm() { "$here/cluster" run "$cluster_folder" "$@"; }

die() {
  local file
  echo "$*"
  for file in "$scratch"/*.err "$scratch"/*.out "$scratch"/stderr; do
    [[ ! -s $file ]] || { echo "--- ${file##*/}"; tail -n 40 "$file"; }
  done
  ((${#submitted_jobs[@]} == 0)) || slurm scontrol -o show job "${submitted_jobs[-1]}" | grep -oE '(JobState|Reason|Restarts|ExitCode|RunTime)=\S+'
  exit 1
}

# Submits a script of slurm/, and sets `job`.
submit() {  # [options of sbatch] SCRIPT [arguments]
  local words=() word
  for word in "$@"; do
    [[ $word != *.sbatch ]] || word=$scripts/$word
    words+=("$word")
  done
  job=$(slurm sbatch --parsable --time=3 "${words[@]}") || die "sbatch fails: ${words[*]}"
  submitted_jobs+=("$job")
}

# Prints a field of the newest job or of JOB: JobState, Reason, Restarts, ExitCode or another.
job_field() {  # FIELD [JOB]
  slurm scontrol -o show job "${2:-$job}" | sed -n "s/.* $1=\([^ ]*\).*/\1/p" | sort -u | paste -sd' '
}

has_ended() { [[ ! $(job_field JobState) =~ PENDING|RUNNING|COMPLETING|CONFIGURING|REQUEUE ]]; }

# Waits until the job has ended, and checks its state.
expect_end() {  # STATE
  until_true $patience has_ended || die "job $job is still $(job_field JobState) ($(job_field Reason)) after $patience s"
  [[ $(job_field JobState) == "$1" ]] ||
    die "the state of job $job is $(job_field JobState), expected $1; its status is $(job_field ExitCode)"
}

# The same for a job that requeues itself. Starts each run without Slurm's delay of two minutes.
expect_end_after_requeues() {  # STATE
  until_true $patience has_ended_or_is_started || die "job $job is still $(job_field JobState) ($(job_field Reason)) after $patience s"
  expect_end "$1"
}

has_ended_or_is_started() {
  if [[ "$(job_field JobState) $(job_field Reason)" == "PENDING BeginTime" ]]; then
    sleep 2  # a node refuses a new run of a job in the second in which the previous run ended
    slurm scontrol update jobid="$job" StartTime=now
  fi
  has_ended
}

# Waits until a line of a file matches.
expect_line() {  # FILE REGEX [SECONDS]
  until_true "${3:-5}" grep -qE -- "$2" "$1" 2>/dev/null || die "no line of $1 matches $2"
}

expect_text() {  # FILE TEXT
  [[ $(<"$1") == "$2" ]] || die "$1 is '$(head -c 500 "$1")', expected '$2'"
}
