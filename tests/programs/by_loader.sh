#!/usr/bin/env bash
# by_loader.sh PROGRAM: starts the program by way of the dynamic loader; its ranks are started so, too.
set -u
program=$1
# shellcheck source=../support/scratch.sh
source "${BASH_SOURCE[0]%/*}/../support/scratch.sh"

loader=$(readelf -l "$program" | sed -n 's/.*program interpreter: \(.*\)\]/\1/p')
[[ -x $loader ]] || fail "there is no loader '$loader'"

timeout 60 "$loader" "$program" arguments a : >out 2>err || fail "status $?:" out err
[[ $(<out) == $'2 workers: 9\n[a]\n[:]' ]] || fail "the output is:" out err

# A file that only the loader can start, and an option of the loader. Rank 0's own command tells how it was started.
cp "$program" ./program
chmod -x program
timeout 60 "$loader" --library-path "$PWD/none" ./program shell 'tr "\0" "\n" </proc/$PPID/cmdline' >out 2>err || fail "status $?:" out err
tail -n +3 out | head -n 3 >words
printf '%s\n' --library-path "$PWD/none" "$PWD/program" | cmp - words || fail "the command of rank 0 is:" out err
