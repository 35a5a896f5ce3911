#!/usr/bin/env bash
# by_loader.sh PROGRAM: starts the program with the dynamic loader. Its ranks are started in the same way.
set -u
program=$1
# shellcheck source=../support/scratch.sh
source "${BASH_SOURCE[0]%/*}/../support/scratch.sh"

loader=$(readelf -l "$program" | sed -n 's/.*program interpreter: \(.*\)\]/\1/p')
[[ -x $loader ]] || fail "the loader '$loader' is not executable"

timeout 60 "$loader" "$program" arguments a : >out 2>err || fail "status $?:" out err
[[ $(<out) == $'2 workers: 9\n[a]\n[:]' ]] || fail "the output is:" out err

# A file that only the loader can start, with an option of the loader. /proc has the command line that started rank 0.
cp "$program" ./program
chmod -x program
timeout 60 "$loader" --library-path "$PWD/none" ./program shell 'tr "\0" "\n" </proc/$PPID/cmdline' >out 2>err || fail "status $?:" out err
tail -n +3 out | head -n 3 >words
printf '%s\n' --library-path "$PWD/none" "$PWD/program" | cmp - words || fail "the command of rank 0 is:" out err
