# shellcheck shell=bash
# Sourced by test scripts: waits that have an end.

# until_true SECONDS COMMAND...: false if the command still fails after so long.
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" 2>/dev/null; do
    ((SECONDS < deadline)) || return 1
    sleep 0.02
  done
}
