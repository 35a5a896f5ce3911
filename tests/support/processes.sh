# shellcheck shell=bash
# Sourced by test scripts: ends all processes of a run.

# kill_session LEADER: kills a program that was started with setsid, and the session of its launcher and ranks. All processes are
# stopped first, so that none reacts to the death of another. The ranks are killed first, because the kernel continues a stopped
# process group when the parent of its processes dies.
kill_session() {
  local processes
  processes=$(ps -e -o pid= -o ppid= -o sid= | awk -v leader="$1" '
    { parent[$1] = $2; session[$1] = $3 }
    END { for (p in session) if (session[p] == leader || parent[session[p]] == leader) print p }' | sort -rn)
  # shellcheck disable=SC2086  # several words
  kill -STOP $processes 2>/dev/null
  # shellcheck disable=SC2086
  kill -KILL $processes 2>/dev/null
}
