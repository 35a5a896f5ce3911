#!/usr/bin/env bash
# expect.sh [OPTIONS] -- COMMAND...: runs a command and checks its output and its exit status.
#
#   --status N        the exit status is N (default 0), or not 0 with "failure"
#   --stdout FILE     stdout is the content of FILE, byte for byte
#   --form REGEX      every line of stdout matches
#   --lines N         stdout has N lines
#   --stderr REGEX    at least one line of stderr matches (may be repeated)
#   --stderr-lines N  stderr has N lines
#   --within SECONDS  the command ends within this time (default 60)
# Prints the differences. The status is 0 if there are none.
set -u

status=0 stdout='' form='' lines='' stderr_lines='' within=60
stderr=()
while (($# > 0)); do
  case $1 in
    --status) status=$2; shift 2 ;;
    --stdout) stdout=$2; shift 2 ;;
    --form) form=$2; shift 2 ;;
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

if [[ -n $stdout ]] && ! cmp -s "$scratch/stdout" "$stdout"; then
  complain "stdout differs (< actual, > expected):"
  diff "$scratch/stdout" "$stdout" | cut -c 1-200 | head -n 20
fi
if [[ -n $form ]] && grep -E -v -- "$form" "$scratch/stdout" >"$scratch/misfits"; then
  complain "lines of stdout that do not match $form:"
  head -n 20 "$scratch/misfits"
fi
if [[ -n $lines ]] && (($(wc -l <"$scratch/stdout") != lines)); then
  complain "stdout has $(wc -l <"$scratch/stdout") lines, expected $lines"
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
