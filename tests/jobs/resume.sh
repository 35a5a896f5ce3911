#!/usr/bin/env bash
# resume.sh COMMAND CASE [ARGUMENTS...]: runs with a journal, ended early in one way or another, and gone on with.
set -u
command=$1 what=$2
shift 2

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

fail() {
  echo "$1"
  shift
  (($# == 0)) || head -c 2000 "$@"
  exit 1
}

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

# stopped_early SECONDS SIGNAL ARGUMENTS...: begins a run, and after so long sends a signal to it, or to all its processes if that is KILL.
stopped_early() {
  local seconds=$1 signal=$2
  shift 2
  setsid "$command" "$@" >stdout 2>stderr &
  local started=$!
  sleep "$seconds"
  if [[ $signal == KILL ]]; then
    # The program, then its launcher and the ranks: whatever is left of its process group and session.
    kill -KILL -- "-$started" 2>/dev/null
    pkill -KILL -s "$started" 2>/dev/null
  else
    kill "-$signal" "$started" 2>/dev/null
  fi
  wait "$started" 2>/dev/null
  status=$?
}

random_bytes() { head -c "$1" /dev/urandom; }

# until_done LIMIT SIGNAL ARGUMENTS...: runs that are stopped again and again, each a little later, until one is done.
until_done() {
  local limit=$1 signal=$2 stops=0 milliseconds=400
  shift 2
  while ((stops < limit)); do
    stopped_early "$((milliseconds / 1000)).$(printf %03d $((milliseconds % 1000)))" "$signal" "$@"
    [[ $signal != KILL || ! (-e out || -e out.npy) ]] || status=0  # it was done when it was killed
    ((status != 0)) || break
    [[ $signal == KILL || $status == 75 ]] || fail "status $status of a run that is stopped by $signal" stderr
    ((++stops))
    ((milliseconds += 300))
  done
  ((stops > 0)) || fail "the first run was done before it could be stopped"
  ((status == 0)) || run 0 "$@"
  echo "stopped $stops times" >>log
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
  stopped-* | killed-*)
    signal=TERM
    [[ $what == stopped-* ]] || signal=KILL
    case ${what#*-} in
      primes)
        until_done 12 $signal primes 1 2e10 --count --journal kept --chunksize 1e8
        [[ $(<stdout) == 882206716 ]] || fail "the primes below 2e10 are not $(<stdout)"
        ;;
      factorials)
        numbers=$(seq 500000 10000 790000)
        # shellcheck disable=SC2086
        run 0 factorials $numbers
        mv stdout expected
        # shellcheck disable=SC2086
        until_done 12 $signal factorials $numbers --journal kept
        diff expected stdout >difference || fail "the figures differ:" difference
        ;;
      sort)
        random_bytes 64000000 >in
        run 0 sort in --type int64 --output expected --memory 2^20
        until_done 8 $signal sort in --type int64 --output out --memory 2^20 --journal kept --verify
        cmp expected out || fail "the file is sorted differently"
        [[ $(echo out*) == out ]] || fail "it leaves $(ls)"
        ;;
      matadd)
        run 0 matadd --size 6000 --output a.npy
        run 0 matadd a.npy a.npy --output expected.npy
        until_done 8 $signal matadd a.npy a.npy --output out.npy --chunksize 100000 --journal kept --verify
        cmp expected.npy out.npy || fail "the sum differs"
        [[ $(echo out*) == out.npy ]] || fail "it leaves $(ls)"
        ;;
      exec)
        # What has ended well is not run again; what runs when the stop comes is waited for.
        for i in {1..150}; do echo "sleep 0.03; echo $i; echo $i >>done"; done >commands
        until_done 8 $signal exec commands --journal kept --output out
        diff <(seq 150) out >difference || fail "the output differs:" difference
        twice=$(sort done | uniq -d | wc -l)
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
    says "^rankpool primes: journal .*kept is of another run: it is of 'primes count from=1 to=1000', not of 'primes count from=1 to=2000'$"
    run 2 squares --journal kept
    says "is of another run: it is of 'primes count from=1 to=1000', not of 'squares from=1 to=5'$"
    run 2 squares --journal /no/such/folder/kept
    says 'journal /no/such/folder/kept cannot be opened'
    echo 'something else that is long enough to be looked at, and no journal' >other
    run 2 squares --journal other
    says 'journal .*other is a file of another kind, not a journal$'
    cmp kept before || fail "the journal was changed"
    ;;
  changed-input)
    run 0 matadd --size 50 --output a.npy
    run 0 matadd a.npy a.npy --output b.npy --journal kept
    sleep 0.01
    touch a.npy
    run 2 matadd a.npy a.npy --output b.npy --force --journal kept
    says 'rankpool matadd: a.npy has changed since the journal kept was begun'
    ;;
  end-of-allocation)
    # It stops by itself, so long before the end.
    SLURM_JOB_END_TIME=$(($(date +%s) + 61)) run 75 primes 1 2e11 --count --journal kept --stop-before 1min --chunksize 1e8
    says 'stopped early, because its time was up$'
    SLURM_JOB_END_TIME=$(($(date +%s) + 1)) run 75 primes 1 2e11 --count --journal kept --chunksize 1e8
    [[ -s kept ]] || fail "no journal"
    ;;
  *)
    fail "no such case: $what"
    ;;
esac
