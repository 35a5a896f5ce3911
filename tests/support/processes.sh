# shellcheck shell=bash
# Sourced by test scripts: ends what a run has started.

# kill_session LEADER: at once, the program with its launcher and ranks, which are in groups of their own.
kill_session() {
  local file line session
  for file in /proc/[0-9]*/stat; do
    read -r line 2>/dev/null <"$file" || continue
    read -r _ _ _ session _ <<<"${line##*) }"  # what follows a name that may hold anything
    [[ $session != "$1" ]] || kill -KILL "${file//[!0-9]/}" 2>/dev/null
  done
}
