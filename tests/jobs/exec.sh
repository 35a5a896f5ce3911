#!/usr/bin/env bash
# exec.sh COMMAND CASE: checks of the job `exec` that take more than a line. COMMAND is the program `rankpool`.
#
# The status is 0 if all is as it should be, 1 with a line that says what is not, 77 if the machine cannot have the test.
set -u

command=$1
# shellcheck source=../support/waiting.sh
source "${BASH_SOURCE[0]%/*}/../support/waiting.sh"
# shellcheck source=../support/scratch.sh
source "${BASH_SOURCE[0]%/*}/../support/scratch.sh"

die() {
  echo "$*"
  exit 1
}

# The launcher and the ranks of a run: not the guards, and not the commands, which are to end by themselves.
ranks_of() {
  local child
  for child in $(ps -o pid= --ppid "$1"); do ranks_of "$child"; done
  [[ $(ps -o comm= -p "$1") == sh ]] || echo "$1"
}

gone() { [[ ! -e /proc/$1 || $(ps -o stat= -p "$1") == Z* ]]; }

# Starts a run whose two commands print their numbers into files and sleep, and sets `run`.
start_sleepers() {
  # The sleep is a child of the shell: both have to go.
  "$command" exec --output out --log log --results results ::: 'echo $$ > 1; sleep 300; true' 'echo $$ > 2; sleep 300; true' 2>stderr &
  run=$!
  until_true 30 test -s 1 -a -s 2 || die "the commands have not started: $(cat stderr)"
  sleepers="$(cat 1) $(cat 2) $(ps -o pid= --ppid "$(cat 1)") $(ps -o pid= --ppid "$(cat 2)")"
}

nothing_is_left() {
  local pid
  for pid in $sleepers; do
    until_true 20 gone "$pid" || die "process $pid, which a command has started, is still there: $(ps -o args= -p "$pid")"
  done
  [[ ! -e out && ! -e log && ! -e results ]] || die "a file has its final name: $(ls)"
  "$command" exec --output out --log log --results results ::: 'echo a' || die "the next run fails"
  [[ $(cat out) == a ]] || die "the next run has printed $(cat out)"
}

case $2 in
  order-on-ranks)
    for ((i = 1; i <= 60; ++i)); do
      echo "if [ $((i % 20)) = 0 ]; then sleep 0.05; fi; echo $i; echo e$i >&2"
    done >lines
    seq 60 >expected
    seq -f e%g 60 >expected-stderr
    "$command" exec lines >out 2>err || die "status $?"
    cmp out expected && cmp err expected-stderr || die "stdout or stderr is not in the order of the input"
    "$command" exec --as-completed lines >out 2>err || die "status $?"
    cmp <(sort -n out) expected && cmp <(sort err) <(sort expected-stderr) || die "as completed, something is missing"
    ;;
  log-and-results)
    "$command" exec --log log --results results ::: 'printf 12345' 'echo oh >&2; exit 3' 'kill -9 $$'
    [[ $? == 2 ]] || die "the status is not the number of failures"
    head -n 1 log | grep -qx $'Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\tRank' || die "log: $(cat log)"
    diff <(tail -n +2 log | sort -n | cut -f 1,5-9) <(printf '%s\t0\t%s\n' 1 $'5\t0\t0\tprintf 12345' 2 $'0\t3\t0\techo oh >&2; exit 3' \
      3 $'0\t0\t9\tkill -9 $$') || die "the log differs"
    tail -n +2 log | cut -f 2 | grep -qvx "$(hostname)" && die "the log names another host"
    python3 - <<'P' || die "the results differ: $(cat results)"
import json
rows = [json.loads(line) for line in open("results")]
assert [r["sequence"] for r in rows] == [1, 2, 3]
assert [(r["status"], r["signal"]) for r in rows] == [(0, 0), (3, 0), (0, 9)]
assert rows[1]["stderr"] == "oh\n" and rows[0]["stdout_bytes"] == 5 and all(r["rank"] in (1, 2) and r["seconds"] < 60 for r in rows)
P
    ;;
  slots)  # both workers run a command at once
    "$command" exec ::: 'touch $RANKPOOL_SLOT; until [ -e 0 ] && [ -e 1 ]; do sleep 0.02; done; echo $RANKPOOL_RANK:$RANKPOOL_SLOT'{,} >out || die "status $?"
    [[ $(sort out) == $'1:0\n2:1' ]] || die "the commands print $(<out)"
    ;;
  retries)
    "$command" exec --retries 5 --quiet ::: 'echo x >> n; [ $(wc -l < n) = 3 ]' 'echo y >> m; false' 2>err
    [[ $? == 1 && $(wc -l <n) == 3 && $(wc -l <m) == 6 ]] || die "tried $(wc -l <n) and $(wc -l <m) times; $(cat err)"
    ;;
  halt)
    yes 'sleep 0.02; echo x >> ran' | sed '1s/.*/exit 7/' | head -n 5000 | "$command" exec --halt-on-error
    [[ $? == 1 ]] || die "the status is not 1"
    touch ran
    (($(wc -l <ran) < 500)) || die "$(wc -l <ran) commands have run all the same"
    ;;
  nested)  # a command may be an MPI program
    found=$("$command" exec ::: "RANKPOOL_WORKERS=1 '$command' squares --to 2" "RANKPOOL_WORKERS=0 '$command' squares --to 2") || die "status $?"
    [[ $found == $'Square of 1: 1\nSquare of 2: 4\nSquare of 1: 1\nSquare of 2: 4' ]] || die "printed: $found"
    ;;
  reader-gone)
    ("$command" exec ::: 'echo a; yes | head -c 300000' 'echo b' 'echo $$ > 1; sleep 300' 2>stderr; echo $? >status) | head -n 1 >out
    [[ $(cat status) == 141 && $(cat out) == a ]] || die "status $(cat status), printed $(cat out), $(cat stderr)"
    [[ ! -s 1 ]] || until_true 20 gone "$(cat 1)" || die "a command is still there"
    ;;
  named-pipe)  # it can be opened once, by the one who reads it
    mkfifo pipe
    { echo 'echo a' >pipe || echo "status $?" >writer; } 2>>writer &
    found=$(timeout 30 "$command" exec pipe) || die "status $?"
    [[ $found == a && ! -s writer ]] || die "printed: $found; the writer: $(cat writer)"
    ;;
  disk-full-while-running)  # commands that run must not hold up the end
    for option in --output --log --results; do
      rm -f 1
      "$command" exec --quiet $option /dev/full ::: 'echo a' 'echo $$ > 1; exec sleep 300' >/dev/null 2>err
      [[ $? == 1 ]] || die "$option: status $?"
      grep -qx "rankpool exec: cannot write /dev/full: No space left on device" err && [[ $(wc -l <err) == 1 ]] || die "$option: $(cat err)"
      [[ ! -s 1 ]] || until_true 20 gone "$(cat 1)" || die "$option: a command is still there"
    done
    ;;
  slow-reader)  # what waits for it is bounded in bytes
    cat >peak <<'P'
for pid in $(ps -o pid= --ppid $(ps -o ppid= -p "$PPID")); do
  if tr '\0' '\n' </proc/$pid/environ 2>/dev/null | grep -qx OMPI_COMM_WORLD_RANK=0; then sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' /proc/$pid/status; fi
done >peak-kb
P
    { for ((i = 1; i < 200; ++i)); do echo 'head -c 4000000 /dev/zero'; done; echo "exec sh peak"; } >lines
    "$command" exec --quiet lines | { sleep 1.5; wc -c; } >bytes
    [[ $(cat bytes) == 796000000 ]] || die "$(cat bytes) bytes have arrived"
    (($(cat peak-kb) > 10000 && $(cat peak-kb) < 200000)) || die "rank 0 has needed $(cat peak-kb) kB for 800 MB of output"
    ;;
  log-is-followed)
    "$command" exec --log log --results results ::: 'echo a' 'for i in $(seq 1200); do [ -e go ] && exit; sleep 0.05; done' >/dev/null &
    run=$!
    noted() { grep -qs "$1" "$2".part-*; }
    until_true 30 noted $'\techo a\t' log || die "the log does not have what is done: $(cat log.part-*)"
    until_true 30 noted '"echo a"' results || die "the results do not have what is done"
    touch go
    wait "$run" || die "status $?"
    ;;
  killed)
    start_sleepers
    kill -KILL $(ranks_of "$run" | grep -vxF -e "${sleepers// /$'\n'}")
    wait "$run" 2>/dev/null
    nothing_is_left
    ;;
  worker-killed)
    start_sleepers
    kill -KILL "$(ps -o ppid= -p "$(cat 1)")"
    wait "$run" && die "the status is 0 though a worker has died"
    nothing_is_left
    ;;
  terminated)
    start_sleepers
    kill -TERM "$run"
    wait "$run"
    [[ $? == 143 ]] || die "the status is not 143"
    nothing_is_left
    [[ $(ls) != *.part-* ]] || die "an unfinished file is left: $(ls)"
    ;;
  full-disk)
    mkdir small
    unshare -rm true 2>/dev/null || { echo "no mount namespace of one's own on this machine"; exit 77; }
    unshare -rm bash -c 'mount -t tmpfs -o size=64k none small || exit 77
      for option in --output --results; do
        "$0" exec --quiet $option small/x ::: "head -c 3000000 /dev/zero | tr \\\\0 x; head -c 300000 /dev/zero | tr \\\\0 y >&2" >/dev/null 2>err
        [[ $? == 1 ]] || { echo "$option: status $?"; exit 1; }
        grep -q "small/x: No space left" err || { echo "$option: $(cut -c 1-200 err)"; exit 1; }
        [[ -z $(ls small) ]] || { echo "$option leaves $(ls small)"; exit 1; }
      done' "$command"
    exit $?
    ;;
  *) die "there is no case $2" ;;
esac
