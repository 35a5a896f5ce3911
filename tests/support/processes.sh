# shellcheck shell=bash
# Sourced by test scripts: ends what a run has started.

# kill_session LEADER: at once, the session of a program that was started with setsid, and the session of its launcher and ranks.
# They are stopped first, so that none reacts to the death of another one. The ranks are killed first, because the system continues
# a stopped process group once the parent of its processes has died.
kill_session() {
  local processes
  processes=$(ps -e -o pid= -o ppid= -o sid= | awk -v leader="$1" '
    { parent[$1] = $2; session[$1] = $3 }
    END { for (p in session) if (session[p] == leader || parent[session[p]] == leader) print p }' | sort -rn)
  # shellcheck disable=SC2086  # several
  kill -STOP $processes 2>/dev/null
  # shellcheck disable=SC2086
  kill -KILL $processes 2>/dev/null
}
