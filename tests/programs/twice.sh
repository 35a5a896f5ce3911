#!/usr/bin/env bash
# twice.sh PROGRAM: runs a program twice with the name of a file that the first run creates.
set -u
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
"$1" "$folder/file" && "$1" "$folder/file"
