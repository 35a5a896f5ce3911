#!/bin/sh
# A launcher that starts nothing and fails as mpirun does when it does not find the executable.
exit 134
