# shellcheck shell=bash
# Sourced by test scripts: waits with a timeout.

# until_true SECONDS COMMAND...: repeats the command until it succeeds. Fails after SECONDS.
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" 2>/dev/null; do
    ((SECONDS < deadline)) || return 1
    sleep 0.02
  done
}
