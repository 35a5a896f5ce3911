#!/usr/bin/env bash
# gone.sh PROGRAM: runs a copy of the program whose file is gone when it starts itself again.
set -u
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$1" "$scratch/gone"
# Its file is open, and removed, before the program begins.
exec 3<"$scratch/gone"
rm "$scratch/gone"
exec -a "$scratch/gone" /proc/self/fd/3
