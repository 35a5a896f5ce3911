#!/usr/bin/env bash
# removed_program.sh PROGRAM: runs a copy of the program whose file is removed before the program starts itself again.
set -u
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$1" "$scratch/removed"
# The file is opened and removed before the program starts.
exec 3<"$scratch/removed"
rm "$scratch/removed"
exec -a "$scratch/removed" /proc/self/fd/3
