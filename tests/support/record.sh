#!/usr/bin/env bash
# record.sh FILE NAME COMMAND...: runs the command of the test NAME and leaves in FILE whether it passed, in the form in which
# support/record.cpp does so for the test cases of a program. The status is the command's.
set -u
file=$1 name=$2
shift 2

printf 'failed\t%s\t\n' "$name" >"$file"  # until it is known better: whoever runs the test may kill it
"$@"
status=$?
((status != 0)) || printf 'passed\t%s\t\n' "$name" >"$file"
exit "$status"
