#!/usr/bin/env bash
# expect.sh [OPTIONS] -- COMMAND...: runs a command and checks its output and its exit status.
#
#   --status N        the exit status is N (default 0), or not 0 with "failure"
#   --stdout FILE     stdout is the content of FILE, byte for byte
#   --as-set          sort the lines before the comparison, because their order may differ
#   --ignoring REGEX  remove the matching lines of stdout before the checks
#   --form REGEX      every line of stdout matches
#   --ascending       the numbers in brackets, [a, b, ...], ascend on every line of stdout
#   --lines N         stdout has N lines
#   --stderr REGEX    at least one line of stderr matches (may be repeated)
#   --stderr-lines N  stderr has N lines
#   --within SECONDS  the command ends within this time (default 60)
# Prints the differences. The status is 0 if there are none.
set -u

status=0 stdout='' as_set='' ignoring='' form='' ascending='' lines='' stderr_lines='' within=60
stderr=()
while (($# > 0)); do
  case $1 in
    --status) status=$2; shift 2 ;;
    --stdout) stdout=$2; shift 2 ;;
    --as-set) as_set=yes; shift ;;
    --ignoring) ignoring=$2; shift 2 ;;
    --form) form=$2; shift 2 ;;
    --ascending) ascending=yes; shift ;;
    --lines) lines=$2; shift 2 ;;
    --stderr) stderr+=("$2"); shift 2 ;;
    --stderr-lines) stderr_lines=$2; shift 2 ;;
    --within) within=$2; shift 2 ;;
    --) shift; break ;;
    *) echo "expect.sh: unknown option $1" >&2; exit 2 ;;
  esac
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
wrong=0
complain() {
  echo "$1"
  wrong=1
}

timeout --kill-after=5 "$within" "$@" >"$scratch/stdout" 2>"$scratch/stderr" </dev/null
got=$?

if ((got == 124)); then
  complain "the command did not end within $within s"
elif [[ $status == failure ]]; then
  ((got != 0)) || complain "the status is 0, expected a failure"
elif ((got != status)); then
  complain "the status is $got, expected $status"
fi

cp "$scratch/stdout" "$scratch/actual"
if [[ -n $ignoring ]]; then grep -E -v -- "$ignoring" "$scratch/stdout" >"$scratch/actual"; fi
if [[ -n $stdout ]]; then
  cp "$stdout" "$scratch/expected"
  if [[ -n $as_set ]]; then
    for file in actual expected; do sort -o "$scratch/$file" "$scratch/$file"; done
  fi
  if ! cmp -s "$scratch/actual" "$scratch/expected"; then
    complain "stdout differs (< actual, > expected):"
    diff "$scratch/actual" "$scratch/expected" | cut -c 1-200 | head -n 20
  fi
fi
if [[ -n $form ]] && grep -E -v -- "$form" "$scratch/actual" >"$scratch/misfits"; then
  complain "lines of stdout that do not match $form:"
  head -n 20 "$scratch/misfits"
fi
if [[ -n $ascending ]]; then
  descending=$(awk -F'[][]' '{
    n = split($2, number, ", ")
    for (i = 2; i <= n; ++i) if (number[i] + 0 < number[i - 1] + 0) { print; next }
  }' "$scratch/actual")
  [[ -z $descending ]] || complain "the numbers do not ascend: $descending"
fi
if [[ -n $lines ]] && (($(wc -l <"$scratch/actual") != lines)); then
  complain "stdout has $(wc -l <"$scratch/actual") lines, expected $lines"
fi
for pattern in ${stderr[@]+"${stderr[@]}"}; do
  grep -E -q -- "$pattern" "$scratch/stderr" || complain "no line of stderr matches $pattern"
done
if [[ -n $stderr_lines ]] && (($(wc -l <"$scratch/stderr") != stderr_lines)); then
  complain "stderr has $(wc -l <"$scratch/stderr") lines, expected $stderr_lines"
fi

if ((wrong)); then
  echo "command: $*"
  echo "stdout:"
  head -c 2000 "$scratch/stdout"
  echo "stderr:"
  head -c 2000 "$scratch/stderr"
fi
exit "$wrong"
