#!/usr/bin/env bash
# nothing_left.sh COMMAND...: runs a command with its output and its status, then checks that nothing of the run is left: no process,
# and no file in /dev/shm.
#
# A variable in their environment marks the processes of the run. Other programs may run at the same time: a file in /dev/shm that a
# process has mapped belongs to them.
set -u
# shellcheck source=../support/waiting.sh
source "${BASH_SOURCE[0]%/*}/../support/waiting.sh"
mark=RANKPOOL_TEST_MARK=$$-$RANDOM

no_process() { ! grep -l -z -x -s -q -- "$mark" /proc/[0-9]*/environ; }

declare -A before=()
for file in /dev/shm/*; do before[$file]=1; done
new_files() {
  local file
  for file in /dev/shm/*; do
    [[ ${before[$file]:-} || ! -e $file ]] || grep -l -s -q -F -- "$file" /proc/[0-9]*/maps || echo "$file"
  done
}
no_file() { [[ -z $(new_files) ]]; }

env "$mark" "$@"
status=$?
if ! until_true 20 no_process; then
  echo "processes are left:"
  grep -l -z -x -s -- "$mark" /proc/[0-9]*/environ | cut -d / -f 3 | xargs ps -o pid,ppid,stat,args -p
  exit 99
fi
if ! until_true 20 no_file; then
  echo "files are left in /dev/shm:"
  new_files
  exit 99
fi
exit "$status"
