#!/bin/sh
# A launcher that starts nothing, prints nothing, and fails. mpirun fails with 134 when it does not find the executable, and with 1 when
# its daemon on another node does not start.
exit "$FAILING_STATUS"
