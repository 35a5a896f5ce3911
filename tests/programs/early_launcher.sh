#!/usr/bin/env bash
# early_launcher.sh PROGRAM: the launcher ends with the status of run() while rank 0 is still in main(), as mpirun may do after
# MPI_Abort. The program ends with that status and reports nothing.
set -u
program=$1
# shellcheck source=../support/scratch.sh
source "${BASH_SOURCE[0]%/*}/../support/scratch.sh"

mkfifo returned
cat >launcher <<'END'
#!/bin/sh
mpirun "$@" 2>/dev/null &
read -r line <returned  # run() has returned on rank 0
exit 75
END
chmod +x launcher
RANKPOOL_WORKERS=2 RANKPOOL_MPIRUN=$PWD/launcher timeout --kill-after=5 60 "$program" waits-after-run returned >/dev/null 2>stderr
status=$?
((status == 75)) || fail "the status is $status, expected 75" stderr
[[ ! -s stderr ]] || fail "the program writes on stderr:" stderr
