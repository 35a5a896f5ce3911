# shellcheck shell=bash
# Sourced by the tests here, which are called with the folder of the cluster, the program `rankpool` and the name of a case.
#
# A case works in `scratch`, which all nodes see, and ends its own jobs. Its status is 0 if all is as it should be, 1 with what is
# not, 77 where there is no cluster.
set -u

cluster_folder=$1
export RANKPOOL=$2
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
scripts=${here%/tests/slurm}/slurm
# shellcheck source=../support/waiting.sh
source "$here/../support/waiting.sh"
unset RANKPOOL_LAUNCHER RANKPOOL_MAX_REQUEUES RANKPOOL_WORKERS "${!SLURM_@}"  # whoever calls may be in a job

[[ -e $cluster_folder/run/keeper.pid ]] || { echo "there is no cluster: $("$here/cluster" check)"; exit 77; }
scratch=$(mktemp -d "$cluster_folder/case.XXXXXX")
cd "$scratch" || exit 1
cases_jobs=()

at_end() {
  ((${#cases_jobs[@]} == 0)) || slurm scancel -Q "${cases_jobs[@]}" >/dev/null 2>&1
  rm -rf "$scratch"
}
trap at_end EXIT
trap 'exit 1' TERM INT HUP

# A command on the login node.
slurm() { "$here/cluster" run "$cluster_folder" "$@"; }

die() {
  local file
  echo "$*"
  for file in "$scratch"/*.err "$scratch"/*.out "$scratch"/stderr; do
    [[ ! -s $file ]] || { echo "--- ${file##*/}"; tail -n 40 "$file"; }
  done
  ((${#cases_jobs[@]} == 0)) || slurm scontrol -o show job "${cases_jobs[-1]}" | grep -oE '(JobState|Reason|Restarts|ExitCode|RunTime)=\S+'
  exit 1
}

# Submits a script of slurm/ with options, and sets `job`.
submits() {  # [options of sbatch] SCRIPT [arguments]
  local words=() word
  for word in "$@"; do
    [[ $word != *.sbatch ]] || word=$scripts/$word
    words+=("$word")
  done
  job=$(slurm sbatch --parsable --time=3 "${words[@]}") || die "sbatch refuses: ${words[*]}"
  cases_jobs+=("$job")
}

# Of the newest job, or one that is named: JobState, Reason, Restarts, ExitCode, ...
job_is() { slurm scontrol -o show job "${2:-$job}" | sed -n "s/.* $1=\([^ ]*\).*/\1/p" | sort -u | paste -sd' '; }

has_ended() { [[ ! $(job_is JobState) =~ PENDING|RUNNING|COMPLETING|CONFIGURING|REQUEUE ]]; }

ends_as() {  # STATE [SECONDS]
  until_true "${2:-60}" has_ended || die "job $job is still $(job_is JobState) ($(job_is Reason)) after ${2:-60} s"
  [[ $(job_is JobState) == "$1" ]] || die "job $job has ended as $(job_is JobState), status $(job_is ExitCode), not as $1"
}

# The same, of a job that queues itself again: without the two minutes that Slurm has it wait before each run.
ends_after_requeues_as() {  # STATE SECONDS
  until_true "$2" has_ended_or_is_hurried || die "job $job is still $(job_is JobState) ($(job_is Reason)) after $2 s"
  ends_as "$1"
}

has_ended_or_is_hurried() {
  if [[ "$(job_is JobState) $(job_is Reason)" == "PENDING BeginTime" ]]; then
    sleep 2  # a node that has ended a job takes no new run of it in the same second
    slurm scontrol update jobid="$job" StartTime=now
  fi
  has_ended
}

# A line of a file matches, and soon.
says() {  # FILE REGEX [SECONDS]
  until_true "${3:-5}" grep -qE -- "$2" "$1" 2>/dev/null || die "no line of $1 matches $2"
}

prints() {  # FILE TEXT
  [[ $(<"$1") == "$2" ]] || die "$1 is '$(head -c 500 "$1")', not '$2'"
}
