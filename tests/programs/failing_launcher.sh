#!/bin/sh
# A launcher that starts nothing and fails as mpirun does when it finds no executable.
exit 134
