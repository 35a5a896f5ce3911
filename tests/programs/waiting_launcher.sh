#!/usr/bin/env bash
# waiting_launcher.sh PROGRAM: runs PROGRAM with an mpirun whose ranks are never ready, as if a node had failed. The launch must end.
set -u
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
printf '#!/bin/sh\nexec sleep 600\n' >"$folder/mpirun"
chmod +x "$folder/mpirun"
RANKPOOL_WORKERS=2 RANKPOOL_START_LIMIT=1 RANKPOOL_MPIRUN=$folder/mpirun "$1"
