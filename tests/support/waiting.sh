# shellcheck shell=bash
# Sourced by test scripts: waits with a timeout.

# Seconds until a test gives up waiting for a job of a cluster. This is long because jobs also wait for the nodes that other jobs use.
patience=300

# until_true SECONDS COMMAND...: repeats the command until it succeeds. Fails after SECONDS. The intervals grow from 0.02 to 0.3 s, so
# that the command hardly loads the machine.
until_true() {
  local interval=20 deadline=$((SECONDS + $1))
  shift
  until "$@" 2>/dev/null; do
    ((SECONDS < deadline)) || return 1
    sleep "0.$(printf %03d "$interval")"
    interval=$((interval < 240 ? interval * 5 / 4 : 300))
  done
}
