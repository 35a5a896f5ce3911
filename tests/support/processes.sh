# shellcheck shell=bash
# Sourced by test scripts: ends what a run has started.

# kill_session LEADER: at once, the session of a program that was started with setsid, and the session of its launcher and ranks.
kill_session() {
  # shellcheck disable=SC2046  # several
  kill -KILL $(ps -e -o pid= -o ppid= -o sid= | awk -v leader="$1" '
    { parent[$1] = $2; session[$1] = $3 }
    END { for (p in session) if (session[p] == leader || parent[session[p]] == leader) print p }') 2>/dev/null
}
