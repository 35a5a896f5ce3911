#!/usr/bin/env bash
# record.sh FILE NAME COMMAND...: runs the command of the test NAME and writes to FILE whether it passed, in the format of
# support/record.cpp. The status is that of the command.
set -u
file=$1 name=$2
shift 2

printf 'failed\t%s\t\n' "$name" >"$file"  # until the test passes, because ctest may kill it
"$@"
status=$?
((status != 0)) || printf 'passed\t%s\t\n' "$name" >"$file"
exit "$status"
