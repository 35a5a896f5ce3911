#!/usr/bin/env bash
# resume.sh COMMAND CASE [ARGUMENTS...]: runs with a journal, ended early in one way or another, and gone on with.
set -u
command=$1 what=$2
shift 2

# shellcheck source=../support/waiting.sh
source "${BASH_SOURCE[0]%/*}/../support/waiting.sh"
# shellcheck source=../support/processes.sh
source "${BASH_SOURCE[0]%/*}/../support/processes.sh"
# shellcheck source=../support/scratch.sh
source "${BASH_SOURCE[0]%/*}/../support/scratch.sh"

# run STATUS ARGUMENTS...: the command to its end, into stdout and stderr.
run() {
  local expected=$1
  shift
  timeout 120 "$command" "$@" >stdout 2>stderr
  local status=$?
  ((status == expected)) || fail "status $status of $*, expected $expected" stderr
}

says() { [[ $(<stderr) =~ $1 && $(wc -l <stderr) == 1 ]] || fail "it does not say '$1' in one line:" stderr; }

# figure NAME: of what --json has printed.
figure() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" stdout; }

has_results() { "$command" journal kept --json --failures 0 --slowest 0 2>/dev/null | grep -q '"chunks":[1-9]'; }

# stopped_early MILLISECONDS SIGNAL CONDITION ARGUMENTS...: begins a run with the journal kept, and so long after the condition holds
# sends a signal to it, or to all its processes if that is KILL.
stopped_early() {
  local milliseconds=$1 signal=$2 condition=$3
  shift 3
  setsid "$command" "$@" >stdout 2>stderr &
  local started=$!
  until_true 60 eval "$condition || ! kill -0 $started" || fail "it never comes to $condition" stderr
  sleep "$((milliseconds / 1000)).$(printf %03d $((milliseconds % 1000)))"
  if [[ $signal == KILL ]]; then
    kill_session "$started"
  else
    kill "-$signal" "$started" 2>/dev/null
  fi
  wait "$started" 2>/dev/null
  status=$?
}

taken_over=' (was finished by an earlier run with|finished tasks were taken from) the journal kept$'

# is_sound FILE: SQLite itself finds nothing wrong, in a copy.
is_sound() {
  cp "$1" copy
  if [[ -e $1-wal ]]; then cp "$1-wal" copy-wal; else rm -f copy-wal; fi
  [[ $(python3 -c 'import sqlite3; print(sqlite3.connect("copy").execute("PRAGMA integrity_check").fetchall())') == "[('ok',)]" ]] ||
    fail "SQLite finds fault with $1"
}

random_bytes() { head -c "$1" /dev/urandom; }

# until_done LIMIT SIGNAL ARGUMENTS...: runs that are stopped again and again, each a little later, until one is done. A run that is
# told to stop keeps what it has finished. One that is killed may lose the last second: the first is killed when it has only just
# made its journal, the next ones when something is in it.
until_done() {
  local limit=$1 signal=$2 stops=0 milliseconds=300 condition='[[ -s kept-wal ]]' resumed=
  shift 2
  [[ $signal != KILL ]] || milliseconds=0
  while ((stops < limit)); do
    stopped_early "$milliseconds" "$signal" "$condition" "$@"
    ((status != 0)) || break
    ((++stops))
    ! has_results || resumed=yes
    if [[ $signal != KILL ]]; then
      ((status == 75)) || fail "status $status of a run that is stopped by $signal" stderr
    else
      is_sound kept
      condition=has_results
    fi
    [[ $signal == KILL && $stops == 1 ]] || ((milliseconds += 300))
  done
  ((status == 0)) || run 0 "$@"
  [[ $resumed ]] || fail "none of $stops runs was stopped with something in its journal"
  [[ $(<stderr) =~ $taken_over ]] || fail "after $stops stops it begins anew:" stderr
}

case $what in
  again)
    # The second run prints the same and computes nothing, if the job is one whose every task gives a result.
    job=$1
    shift
    run 0 "$job" --journal kept "$@"
    mv stdout first
    run 0 "$job" --journal kept "$@"
    diff <(sort first) <(sort stdout) >difference || fail "the second run prints something else:" difference
    says ' finished tasks were taken from the journal kept$'
    run 0 "$job" --journal kept --json --quiet "$@"
    (($(figure tasks) == 0 && $(figure taken_over) > 0)) || fail "the third run has run $(figure tasks) tasks"
    ;;
  same-run)
    # What is asked for in other words, or with options that do not change results, is the same run: FIRST -- SECOND.
    first=()
    while [[ $1 != -- ]]; do
      first+=("$1")
      shift
    done
    shift
    run 0 "${first[0]}" --journal kept --json --quiet "${first[@]:1}"
    run 0 "${first[0]}" --journal kept --json --quiet "${first[@]:1}"
    all=$(figure taken_over)
    ((all > 0 && $(figure tasks) == 0)) || fail "a repetition of the first run has run $(figure tasks) tasks"
    run 0 "$1" --journal kept --json --quiet "${@:2}"
    (($(figure taken_over) == all)) || fail "the second run has taken $(figure taken_over) of $all results from the journal"
    [[ " $* " == *" --verify "* ]] || (($(figure tasks) == 0)) || fail "the second run has run $(figure tasks) tasks"
    ;;
  same-files)
    # A file is the same however its path is written, and from whichever folder.
    run 0 matadd --size 50 --output a.npy
    mkdir elsewhere
    run 0 matadd a.npy a.npy --journal kept --json --quiet
    run 0 matadd ./a.npy "$PWD/elsewhere/../a.npy" --journal kept --json --quiet
    (($(figure tasks) == 0 && $(figure taken_over) > 0)) || fail "the sum is computed again" stdout
    run 0 matadd a.npy a.npy --output b.npy --journal written
    cp b.npy before
    run 0 matadd a.npy ./a.npy --output "$PWD/b.npy" --journal written --verify --json
    says 'was finished by an earlier run'
    cmp before b.npy || fail "the sum has changed"
    grep -q '"verified": ".* numbers taken at random are the sum' stdout || fail "the finished sum is not verified" stdout
    random_bytes 800000 >numbers
    run 0 sort numbers --type int64 --memory 65536 --output sorted --journal sorting
    run 0 sort ./numbers --type int64 --output ./sorted --journal sorting --verify --json --quiet
    grep -q '"verified": "the output is in order' stdout || fail "the finished file is not verified" stdout
    printf 'P5 2 2 255\nabcd' >picture.pgm
    run 0 image picture.pgm --op sobel --output edges.pgm --journal pictures
    (
      cd elsewhere || exit 1
      run 0 image ../picture.pgm --op sobel --output ../edges.pgm --journal ../pictures --json --quiet
      (($(figure tasks) == 0 && $(figure taken_over) == 1)) || fail "the picture is processed again" stdout
    ) || exit 1
    ;;
  again-in-a-file)
    # What is finished stays as it is, or is written again; nothing else is left.
    job=$1
    shift
    [[ $job != sort ]] || random_bytes 800000 >in
    for i in 1 2; do
      run 0 "$job" "$@" --output out.npy --journal kept
      [[ -e first ]] || cp out.npy first
      cmp first out.npy || fail "run $i writes something else"
      [[ $(echo out*) == out.npy ]] || fail "run $i leaves $(ls)"
    done
    says "$taken_over"
    ;;
  stopped-* | killed-*)
    signal=TERM
    [[ $what == stopped-* ]] || signal=KILL
    case ${what#*-} in
      primes)
        until_done 12 $signal primes 1 5e10 --count --journal kept --chunksize 1e8
        [[ $(<stdout) == 2119654578 ]] || fail "the primes below 5e10 are not $(<stdout)"
        ;;
      factorials)
        numbers=$(seq 1000000 20000 2180000)
        # shellcheck disable=SC2086
        run 0 factorials $numbers
        mv stdout expected
        # shellcheck disable=SC2086
        until_done 12 $signal factorials $numbers --journal kept
        diff expected stdout >difference || fail "the figures differ:" difference
        ;;
      sort)
        random_bytes 160000000 >in
        run 0 sort in --type int64 --output expected --memory 2^19
        until_done 8 $signal sort in --type int64 --output out --memory 2^19 --journal kept --verify
        cmp expected out || fail "the file is sorted differently"
        [[ $(echo out*) == out ]] || fail "it leaves $(ls)"
        ;;
      matadd)
        run 0 matadd --size 9000 --output a.npy
        run 0 matadd a.npy a.npy --output expected.npy
        until_done 8 $signal matadd a.npy a.npy --output out.npy --chunksize 25000 --journal kept --verify
        cmp expected.npy out.npy || fail "the sum differs"
        [[ $(echo out*) == out.npy ]] || fail "it leaves $(ls)"
        ;;
      exec)
        # What has ended well is not run again; what runs when the stop comes is waited for.
        for i in {1..150}; do echo "sleep 0.03; echo $i; echo $i >>done"; done >commands
        until_done 8 $signal exec commands --journal kept --output out
        diff <(seq 150) out >difference || fail "the output differs:" difference
        twice=$(sort 'done' | uniq -d | wc -l)
        [[ $signal == KILL ]] || ((twice == 0)) || fail "$twice commands were run twice"
        ;;
    esac
    ;;
  failing-commands)
    # Those that fail are run again, and only those; a retry that succeeds counts.
    printf '%s\n' 'echo a >>ran' 'echo b >>ran; test -e ready' 'echo c >>ran; test $(grep -c c ran) -gt 1' >commands
    run 1 exec commands --journal kept --retries 1
    [[ $(sort ran | tr -d '\n') == abbcc ]] || fail "the first run has run" ran
    touch ready
    run 0 exec commands --journal kept --retries 1
    [[ $(sort ran | tr -d '\n') == abbbcc ]] || fail "both have run" ran
    says '2 finished tasks were taken from the journal kept'
    ! "$command" journal kept | grep -q '[1-9][0-9]* failed' || fail "the journal still tells of failures"
    # Also where a failure that counts would halt the others.
    rm ran ready
    printf '%s\n' 'echo a >>ran' 'echo c >>ran; test $(grep -c c ran) -gt 1' >commands
    for i in 1 2; do RANKPOOL_WORKERS=1 run 0 exec commands --journal halting --retries 1 --halt-on-error; done
    [[ $(sort ran | tr -d '\n') == acc ]] || fail "both have run" ran
    ;;
  commands-elsewhere)
    # In another folder a command is another one.
    mkdir here there
    cd here || exit 1
    run 0 exec --journal ../kept ::: pwd
    cd ../there || exit 1
    run 2 exec --journal ../kept ::: pwd
    says "belongs to another run: it was created for 'exec directory=.*/here', not for 'exec directory=.*/there'$"
    ;;
  edited-commands)
    # A command is known by its words, wherever it stands and however its list is named or read.
    printf 'echo %s >>ran; echo %s\n' a a b b >commands
    run 0 exec commands --journal kept
    sed -i '1i echo new >>ran; echo new' commands
    run 0 exec --journal kept <commands
    [[ $(<stdout) == $'new\na\nb' && $(sort ran | paste -sd' ') == "a b new" ]] || fail "these have run:" ran
    run 0 exec ./commands --journal kept
    [[ $(wc -l <ran) == 3 ]] || fail "these have run:" ran
    ;;
  idle-when-stopped)
    # Also when no command is running: with a delay, or as long as the input has nothing to give.
    stopped_early 0 TERM '[[ -e 1 ]]' exec --journal kept --delay 1h ::: 'touch 1' 'touch 2'
    ((status == 75)) || fail "status $status of a run that is stopped in a delay" stderr
    mkfifo input
    exec {held}<>input
    echo 'touch 3' >input
    stopped_early 0 TERM '[[ -e 3 ]]' exec --journal other input
    ((status == 75)) || fail "status $status of a run that is stopped while it waits for input" stderr
    ;;
  longer-timeout)
    # What was ended by --timeout runs again with more time, and nothing else does.
    printf '%s\n' 'echo a >>ran' 'echo b >>ran; until [ -e ready ]; do sleep 0.05; done' >commands
    run 1 exec commands --journal kept --timeout 3s
    touch ready
    run 0 exec commands --journal kept --timeout 2min --retries 2 --as-completed
    [[ $(sort ran | tr -d '\n') == abb ]] || fail "these have run:" ran
    ;;
  max-failures)
    # A run that was ended by failures goes on where it was.
    for i in {1..30}; do echo "echo $i >>ran; [ $i -gt 4 -o -e ready ]"; done >commands
    RANKPOOL_WORKERS=1 run 2 exec commands --journal kept --max-failures 2
    grep -q 'stopped early because 2 commands failed (--max-failures 2); some .*; the same run with its journal runs them' stderr ||
      fail "it does not say that it has stopped" stderr
    (($(wc -l <ran) == 2)) || fail "more have run:" ran
    touch ready
    run 0 exec commands --journal kept --max-failures 2
    diff <(sort -n ran) <(printf '%s\n' 1 1 2 2; seq 3 30) >difference || fail "these have run:" difference
    ;;
  workers)
    # The work is divided as in the first run, however many workers there are now.
    RANKPOOL_WORKERS=3 run 0 primes 1 1e10 --count --journal kept
    RANKPOOL_WORKERS=0 run 0 primes 1 1e10 --count --journal kept --json --quiet
    (($(figure tasks) == 0)) || fail "the second run has run $(figure tasks) tasks"
    ;;
  refused)
    run 0 primes 1 1000 --count --journal kept
    cp kept before
    run 2 primes 1 2000 --count --journal kept
    says "^rankpool primes: journal '.*kept' belongs to another run: it was created for 'primes count from=1 to=1000', not for 'primes count from=1 to=2000'$"
    run 2 squares --journal kept
    says "belongs to another run: it was created for 'primes count from=1 to=1000', not for 'squares from=1 to=5'$"
    run 2 squares --journal /no/such/folder/kept
    says "journal '/no/such/folder/kept' cannot be opened"
    echo 'something else that is long enough to be looked at, and no journal' >other
    run 2 squares --journal other
    says "journal '.*other' is not a journal$"
    cmp kept before || fail "the journal was changed"
    ;;
  full-disk)
    # Within a namespace: the mount is gone with it.
    unshare=(unshare --mount)
    ((EUID == 0)) || unshare=(unshare --map-root-user --mount)
    mkdir small
    "${unshare[@]}" mount -t tmpfs -o size=300k none small 2>/dev/null || { echo "no small file system can be mounted here"; exit 77; }
    # shellcheck disable=SC2016
    "${unshare[@]}" bash -c 'mount -t tmpfs -o size=300k none small
      run() { "$0" primes 1 1e7 --list --chunksize 1e5 --journal small/kept --output out; }
      run 2>stderr; echo $? >status; ls out* >left 2>&-; "$0" journal small/kept --verify >sound 2>&1
      mount -o remount,size=50m small; run 2>next; echo $? >next-status' "$command"
    says "^rankpool primes: journal '.*small/kept' cannot be written: the disk is full$"
    [[ $(<status) == 1 && ! -s left ]] || fail "status $(<status), and it leaves:" left
    [[ $(<sound) == "sound: "* ]] || fail "the journal is damaged:" sound
    [[ $(<next-status) == 0 && $(tail -n 1 out) == 9999991 ]] || fail "with more room the status is $(<next-status):" next
    ;;
  changed-input)
    run 0 matadd --size 50 --output a.npy
    run 0 matadd a.npy a.npy --output b.npy --journal kept
    sleep 0.01
    touch a.npy
    run 2 matadd a.npy a.npy --output b.npy --force --journal kept
    says "rankpool matadd: input 'a.npy' was modified after journal 'kept' was created"
    ;;
  end-of-allocation)
    # It stops by itself, so long before the end.
    SLURM_JOB_END_TIME=$(($(date +%s) + 61)) run 75 primes 1 2e11 --count --journal kept --stop-before 1min --chunksize 1e8
    says 'stopped early: time limit reached$'
    SLURM_JOB_END_TIME=$(($(date +%s) + 1)) run 75 primes 1 2e11 --count --journal kept --chunksize 1e8
    [[ -s kept ]] || fail "no journal"
    ;;
  *)
    fail "no such case: $what"
    ;;
esac
