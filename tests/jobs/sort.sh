#!/usr/bin/env bash
# sort.sh COMMAND CASE [SHIM]: one behaviour of the job `sort` with files, in a folder of its own. coreutils say what is right.
set -u
command=$1 what=$2

# shellcheck source=../support/waiting.sh
source "${BASH_SOURCE[0]%/*}/../support/waiting.sh"
# shellcheck source=../support/scratch.sh
source "${BASH_SOURCE[0]%/*}/../support/scratch.sh"

# run ARGUMENTS...: the job, which must succeed and print nothing.
run() {
  timeout 60 "$command" sort "$@" >stdout 2>stderr || fail "status $? of sort $*" stderr
  [[ ! -s stdout && ! -s stderr ]] || fail "sort $* prints something" stdout stderr
}

# refused STATUS REGEX ARGUMENTS...: the job ends with that status, one line that matches, and no new file.
refused() {
  local status=$1 regex=$2 before got
  shift 2
  before=$(ls)
  local said
  said=$(timeout 60 "$command" sort "$@" 2>&1)
  got=$?
  ((got == status)) || fail "status $got of sort $*, expected $status: $said"
  [[ $said =~ $regex && $said != *$'\n'* ]] || fail "sort $* says: $said"
  [[ $(ls) == "$before" ]] || fail "sort $* leaves files: $(ls)"
}

random_bytes() { head -c "$1" /dev/urandom; }
lines() { od -An -v -w"$2" -t d"$2" "$1"; }  # FILE BYTES
is_sorted_from() {                          # OUTPUT INPUT BYTES
  cmp -s <(lines "$1" "$3") <(lines "$2" "$3" | LC_ALL=C sort -n) || fail "$1 is not $2 sorted"
}

# npy TYPE SHAPE: the header of a .npy file as numpy writes it.
npy() {
  local text="{'descr': '$1', 'fortran_order': False, 'shape': ($2), }"
  printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$text"
}

case $what in
  agrees-with-coreutils)
    random_bytes 1600000 >in
    run in --type int64 --output out --verify
    is_sorted_from out in 8
    random_bytes 400004 >in4
    run in4 --type int32 --output out4 --verify
    is_sorted_from out4 in4 4
    ;;
  more-than-memory)
    random_bytes 1600000 >in
    run in --type int64 --output out --memory 2^16 --verify
    is_sorted_from out in 8
    timeout 60 "$command" sort in --type int64 --output again --memory 2^16 --verbose 2>&1 | grep -q 'in two passes' ||
      fail "it has not taken two passes"
    cmp -s out again || fail "a second run makes another file"
    ;;
  npy)
    { npy '<i8' '5,'; printf '%b' '\x05\0\0\0\0\0\0\0' '\xff\xff\xff\xff\xff\xff\xff\xff' '\0\0\0\0\0\0\0\0' '\0\0\0\0\0\0\0\x80' '\x05\0\0\0\0\0\0\0'; } >in.npy
    { npy '<i8' '5,'; printf '%b' '\0\0\0\0\0\0\0\x80' '\xff\xff\xff\xff\xff\xff\xff\xff' '\0\0\0\0\0\0\0\0' '\x05\0\0\0\0\0\0\0' '\x05\0\0\0\0\0\0\0'; } >expected
    run in.npy --output out.npy --verify
    cmp expected out.npy || fail "out.npy is not as numpy would write it"
    ;;
  empty)
    npy '<f8' '0,' >in.npy
    run in.npy --output out.npy --verify
    cmp in.npy out.npy || fail "an empty .npy file does not stay one"
    : >in
    run in --type float32 --output out --verify
    [[ -f out && ! -s out ]] || fail "an empty raw file does not stay one"
    ;;
  bad-input)
    random_bytes 4001 >odd
    random_bytes 4000 >raw
    { npy '<i8' '500,'; cat raw; } >good.npy
    { npy '<i8' '5, 100'; cat raw; } >matrix.npy
    { npy '<i8' '501,'; cat raw; } >short.npy
    { npy '<i8' '499,'; cat raw; } >long.npy
    { npy '>i8' '500,'; cat raw; } >big_endian.npy
    { npy '<c16' '250,'; cat raw; } >complex.npy
    mkdir folder
    mkfifo pipe
    refused 2 'missing: No such file' missing --output out
    refused 2 'folder cannot be sorted' folder --output out
    refused 2 'pipe cannot be sorted' pipe --type int64 --output out
    refused 2 'raw is no .npy file; --type' raw --output out
    refused 2 'odd has 4001 bytes, which is no whole number of int64' odd --type int64 --output out
    refused 2 'good.npy is a .npy file' good.npy --type int64 --output out
    refused 2 'matrix.npy holds int64, 5 x 100' matrix.npy --output out
    refused 2 'short.npy cannot be used' short.npy --output out
    refused 2 'long.npy cannot be used' long.npy --output out
    refused 2 'big_endian.npy cannot be used: it holds >i8' big_endian.npy --output out
    refused 2 'complex.npy cannot be used: it holds <c16' complex.npy --output out
    refused 2 '--output' good.npy
    refused 2 'absent/out' good.npy --output absent/out
    refused 2 'folder is a folder' good.npy --output folder
    refused 2 '/dev/null' good.npy --output /dev/null
    refused 2 '--type' raw --type int16 --output out
    refused 2 '--memory' good.npy --output out --memory 1000
    refused 2 '--lists' good.npy --output out --lists 3
    refused 2 '--verify' --verify
    ;;
  existing-output)
    random_bytes 8000 >in
    echo precious >out
    refused 2 'out exists already; --force' in --type int64 --output out
    [[ $(cat out) == precious ]] || fail "a file that is there has changed"
    run in --type int64 --output out --force
    is_sorted_from out in 8
    cp in copy
    run in --type int64 --output in --force --verify
    is_sorted_from in copy 8
    ;;
  json)
    random_bytes 80000 >in
    timeout 60 "$command" sort in --type int64 --output out --verify --json >stdout || fail "status $?"
    if command -v python3 >/dev/null; then
      python3 -c 'import json, sys; r = json.load(sys.stdin)
assert r["result"] == {"output": "out", "type": "int64", "count": 10000} and r["status"] == "done" and "in order" in r["verified"], r' <stdout || fail "the object is not as expected"
    fi
    grep -q '^{"job": "sort".*"count": 10000.*"verified": .*"status": "done".*}$' stdout || fail "no object:" stdout
    ;;
  full-disk | late-full-disk)
    # Within a namespace: the mount is gone with it.
    unshare=(unshare --mount)
    ((EUID == 0)) || unshare=(unshare --map-root-user --mount)
    mkdir small
    "${unshare[@]}" mount -t tmpfs -o size=1m none small 2>/dev/null || { echo "no small file system can be mounted here"; exit 77; }
    [[ $what == full-disk ]] || export LD_PRELOAD=$3 NO_RESERVING=1
    random_bytes 4000000 >in
    head -c 400000 in >less
    for memory in 2^30 2^16; do
      # shellcheck disable=SC2016
      "${unshare[@]}" bash -c 'mount -t tmpfs -o size=1m none small && "$0" sort in --type int64 --output small/out --memory "$1" 2>stderr
        echo $? >status; ls -A small >left; "$0" sort less --type int64 --output small/out --verify 2>&1; echo $? >next' "$command" $memory
      [[ $(cat status) == 1 ]] || fail "status $(cat status)" stderr
      [[ $(cat stderr) == *"cannot write small/out"*": No space left on device"* && $(wc -l <stderr) == 1 ]] || fail "it says:" stderr
      [[ ! -s left ]] || fail "it leaves:" left
      [[ $(cat next) == 0 ]] || fail "the next run has the status $(cat next)"
    done
    ;;
  late-error)
    # Whichever close of a written file fails, in one pass and in two: until there is none left to fail.
    random_bytes 400000 >in
    for memory in 2^30 2^16; do
      for ((n = 1; ; ++n)); do
        rm -f failed-close out
        LD_PRELOAD=$3 FAILING_CLOSE=$n "$command" sort in --type int64 --output out --memory $memory >stdout 2>stderr
        status=$?
        [[ -e failed-close ]] || break
        [[ $status == 1 && $(<stderr) =~ ^'rankpool sort: cannot write out'.*': Input/output error' && $(wc -l <stderr) == 1 ]] ||
          fail "failing close $n: status $status" stderr
        [[ $(echo out*) == 'out*' ]] || fail "failing close $n leaves $(ls)"
      done
      ((status == 0 && n > 2)) || fail "status $status after $n runs"
    done
    ;;
  terminated | killed)
    # Large enough to be at work for a while after the output has begun; then SIGKILL to the program and rank 0, or SIGTERM to rank 0.
    random_bytes 1000000 >some
    for _ in {1..60}; do cat some; done >in
    "$command" sort in --type int64 --output out --memory 2^20 >stdout 2>stderr &
    started=$!
    for _ in {1..300}; do
      compgen -G 'out.part-*' >/dev/null && break
      sleep 0.02
    done
    compgen -G 'out.part-*' >/dev/null || fail "no output has begun" stderr
    [[ ! -e out ]] || fail "it was done too soon"
    part=$(compgen -G 'out.part-*')
    if [[ $what == killed ]]; then kill -KILL "${part##*-}" "$started"; else kill -TERM "${part##*-}"; fi
    wait "$started" 2>/dev/null
    status=$?
    ((status > 128)) || fail "status $status" stderr
    [[ ! -e out ]] || fail "a file has the final name"
    if [[ $what == terminated ]]; then
      for _ in {1..100}; do
        compgen -G 'out.part-*' >/dev/null || break
        sleep 0.1
      done
      ! compgen -G 'out.part-*' >/dev/null || fail "it leaves $(ls)"
    fi
    run some --type int64 --output out --verify
    is_sorted_from out some 8
    ;;
  launcher-gone)
    # The user's own mpirun exits without its ranks at the second SIGTERM, as timeout(1) sends it, or is killed.
    random_bytes 1000000 >some
    for _ in {1..60}; do cat some; done >in
    export OMPI_MCA_btl_vader_backing_directory=$PWD TMPDIR=$PWD  # it leaves its files, too
    for signals in "TERM TERM" KILL; do
      while :; do  # until the signals come before the job has ended
        rm -f out
        mpirun -n 3 --oversubscribe --bind-to none "$command" sort in --type int64 --output out --memory 2^20 --quiet >stdout 2>stderr &
        launcher=$!
        until_true 60 compgen -G 'out*' >/dev/null || fail "no output has begun" stderr
        part=$(compgen -G 'out.part-*')
        for signal in $signals; do kill "-$signal" "$launcher"; done
        wait "$launcher" 2>/dev/null
        [[ -z $part ]] || until_true 20 eval "! kill -0 ${part##*-}" || fail "rank 0 runs on"
        [[ -e out ]] || break
      done
      [[ ! -e $part ]] || fail "after $signals it leaves $(ls)"
    done
    ;;
  *)
    fail "no such case: $what"
    ;;
esac
