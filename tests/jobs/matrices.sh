#!/usr/bin/env bash
# matrices.sh COMMAND BEHAVIOUR [SHIM]: one behaviour of matmul and matadd on files. Prints what is wrong; 77: cannot be shown here.
#
# Inputs are made by the command itself: the sum of a generated matrix and another is a .npy file of known numbers.
set -u

command=$1 behaviour=$2
# shellcheck source=../support/processes.sh
source "${BASH_SOURCE[0]%/*}/../support/processes.sh"
# shellcheck source=../support/scratch.sh
source "${BASH_SOURCE[0]%/*}/../support/scratch.sh"
mounted=''
trap '[[ -z $mounted ]] || umount "$mounted"; rm -rf "$scratch"' EXIT

wrong=0
complain() {
  echo "$1"
  wrong=1
}
# run STATUS REGEX ARGUMENTS...: one line on stderr that matches, or none if REGEX is empty.
run() {
  local status=$1 regex=$2
  shift 2
  timeout 60 "$command" "$@" >stdout 2>stderr </dev/null
  local got=$?
  ((got == status)) || complain "status $got, expected $status: $* ($(head -c 300 stderr))"
  if [[ -z $regex ]]; then
    [[ ! -s stderr ]] || complain "unexpected message of $*: $(head -c 300 stderr)"
  elif (($(wc -l <stderr) != 1)) || ! grep -qE -- "$regex" stderr; then
    complain "expected one line with '$regex' from $*, got: $(head -c 300 stderr)"
  fi
}
nothing_left() {  # but these
  local name
  for name in "$1" "$1".part-*; do
    [[ ! -e $name ]] || complain "$name is left behind"
  done
}
# npy FILE TYPE ORDER SHAPE [BYTES]: a file of zeros with a header of its own.
npy() {
  local text="{'descr': '$2', 'fortran_order': $3, 'shape': $4, }"
  printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$text" >"$1"
  truncate -s +"${5:-0}" "$1"
}
# Numbers of a file of 64-bit whole numbers in C order.
numbers() { tail -c +129 "$1" | od -An -v -w8 -t d8 | tr -d ' ' | tr '\n' ' '; }

case $behaviour in
  files-are-multiplied-and-added)
    # [1 2; 3 4] and [5 6; 7 8]
    le() { for n in "$@"; do printf '%b' "\\x$(printf %02x "$n")\0\0\0\0\0\0\0"; done; }
    npy a.npy '<i8' False '(2, 2)'
    le 1 2 3 4 >>a.npy
    npy b.npy '<i8' True '(2, 2)'
    le 5 7 6 8 >>b.npy
    run 0 '' matmul a.npy b.npy --output product.npy --verify
    [[ $(numbers product.npy) == '19 22 43 50 ' ]] || complain "product: $(numbers product.npy)"
    run 0 '' matadd a.npy b.npy --output sum.npy --verify
    [[ $(numbers sum.npy) == '6 8 10 12 ' ]] || complain "sum: $(numbers sum.npy)"
    # A sum into one of its own inputs
    run 0 '' matadd sum.npy sum.npy --output sum.npy --force --chunksize 1
    [[ $(numbers sum.npy) == '12 16 20 24 ' ]] || complain "twice the sum: $(numbers sum.npy)"
    ;;

  text-is-printed)
    npy a.npy '<f8' False '(2, 0)'
    npy b.npy '<f8' False '(0, 3)'
    run 0 '' matmul a.npy b.npy
    [[ $(<stdout) == $'Matrix multiplication result:\n[0.0, 0.0, 0.0]\n[0.0, 0.0, 0.0]' ]] || complain "product: $(<stdout)"
    run 0 '' matadd a.npy a.npy
    [[ $(<stdout) == $'Matrix addition result:\n[]\n[]' ]] || complain "sum: $(<stdout)"
    # The lines do not depend on how the work is cut
    run 0 '' matmul --size 20 --seed 5
    mv stdout whole
    run 0 '' matmul --size 20 --seed 5 --chunksize 1 --output lines
    cmp whole lines || complain "other lines by single rows"
    ;;

  bad-input-is-refused)
    npy good.npy '<f8' False '(2, 3)' 48
    npy other.npy '<f4' False '(2, 3)' 24
    npy tall.npy '<f8' False '(3, 2)' 48
    npy short.npy '<f8' False '(2, 3)' 47
    npy long.npy '<f8' False '(2, 3)' 49
    npy vector.npy '<f8' False '(6,)' 48
    npy big_endian.npy '>f8' False '(2, 3)' 48
    npy complex.npy '<c16' False '(2, 3)' 96
    npy endless.npy '<f8' False '(4294967296, 4294967296)'
    echo text >text.npy
    : >empty.npy
    for job in matmul matadd; do
      for bad in short long vector big_endian complex endless text empty absent; do
        run 2 "$bad\\.npy" $job good.npy $bad.npy --output out.npy
        run 2 "$bad\\.npy" $job $bad.npy good.npy --output out.npy
      done
      run 2 'out' $job good.npy good.npy --output no-such-folder/out.npy
    done
    run 2 'good\.npy .*other\.npy .*types' matadd good.npy other.npy --output out.npy
    run 2 'good\.npy .*tall\.npy .*shapes' matadd good.npy tall.npy --output out.npy
    run 2 'good\.npy .*2 x 3.*rows' matmul good.npy good.npy --output out.npy
    run 2 'tall\.npy .*types' matmul tall.npy other.npy --output out.npy
    nothing_left out.npy
    ;;

  existing-output-is-kept)
    echo old >out.npy
    for job in matmul matadd; do
      run 2 'out\.npy exists already; --force' $job --size 5 --output out.npy
      [[ $(<out.npy) == old ]] || complain "$job has replaced the output"
    done
    run 0 '' matmul --size 5 --output out.npy --force
    (($(stat -c %s out.npy) == 128 + 25 * 8)) || complain "the product has $(stat -c %s out.npy) bytes"
    ;;

  json-is-one-object)
    for job in matmul matadd; do
      run 0 '' $job --size 9 --type float32 --output $job.npy --verify --json
      python3 -c 'import json, sys
report = json.load(open("stdout"))
assert report["job"] == sys.argv[1] and report["status"] == "done", report
assert report["result"] == {"output": sys.argv[1] + ".npy", "type": "float32", "rows": 9, "columns": 9}, report
assert report["verified"], report' $job || complain "not the report of $job: $(<stdout)"
    done
    ;;

  folder-for-input-is-refused)
    mkdir folder.npy
    npy good.npy '<f8' False '(2, 2)' 32
    run 2 'folder\.npy' matadd folder.npy good.npy --output out.npy
    nothing_left out.npy
    ;;

  full-disk-leaves-nothing | late-full-disk-leaves-nothing)
    mkdir disk
    mount -t tmpfs -o size=1m tmpfs disk 2>/dev/null || { echo "no tmpfs can be mounted here"; exit 77; }
    mounted=$scratch/disk
    [[ $behaviour == full* ]] || export LD_PRELOAD=$3 NO_RESERVING=1
    for job in matmul matadd; do
      run 1 'cannot write disk/out\.npy.*: No space left' $job --size 1000 --output disk/out.npy
      nothing_left disk/out.npy
    done
    run 1 'cannot write disk/out: No space left' matadd --size 1000 --output disk/out
    nothing_left disk/out
    run 0 '' matadd --size 100 --output disk/out.npy
    ;;

  pipe-for-numbers-is-refused)
    mkfifo out.npy
    run 2 'out\.npy .*is not a regular file' matmul --size 3 --output out.npy --force
    [[ -p out.npy ]] || complain "the pipe has been replaced"
    ;;

  verifying-takes-little-memory)
    # 16 numbers for each row of B would be 256 MiB.
    npy row.npy '<i4' False '(1, 2097152)' 8388608
    npy column.npy '<i4' False '(2097152, 1)' 8388608
    npy one.npy '<i4' False '(1, 1)' 4
    ulimit -d 200000
    run 0 '' matmul row.npy column.npy --output out.npy --verify
    run 0 '' matmul column.npy one.npy --output out.npy --force --verify
    ;;

  late-error-of-writing-is-told)
    # Whichever close of a written file fails: until there is none left to fail.
    for job in matmul matadd; do
      for ((n = 1; ; ++n)); do
        rm -f failed-close out.npy
        LD_PRELOAD=$3 FAILING_CLOSE=$n "$command" $job --size 50 --chunksize 900 --output out.npy >stdout 2>stderr
        status=$?
        [[ -e failed-close ]] || break
        ((status == 1)) && grep -qE '^rankpool .*cannot write out\.npy.*: Input/output error' stderr && (($(wc -l <stderr) == 1)) ||
          complain "$job, failing close $n: status $status, $(<stderr)"
        nothing_left out.npy
      done
      ((status == 0 && n > 2)) || complain "$job: status $status after $n runs"
    done
    ;;

  killed-run-leaves-nothing)
    # The whole run, while the file is being written.
    setsid "$command" matmul --size 6000 --chunksize 64 --output out.npy >/dev/null 2>&1 &
    leader=$!
    for ((i = 0; i < 600; ++i)); do
      compgen -G 'out.npy.part-*' >/dev/null && break
      sleep 0.05
    done
    compgen -G 'out.npy.part-*' >/dev/null || complain "nothing was written within 30 s"
    kill_session "$leader"
    wait "$leader" 2>/dev/null
    [[ ! -e out.npy ]] || complain "an unfinished file has the final name"
    run 0 '' matmul --size 50 --output out.npy --verify
    (($(stat -c %s out.npy) == 128 + 2500 * 8)) || complain "the next run has not made its file"
    ;;

  numpy-reads-and-writes)
    python=/usr/bin/python3
    $python -c 'import numpy' 2>/dev/null || { echo "numpy is not installed"; exit 77; }
    $python -c 'import numpy as np
random = np.random.default_rng(1)
for t in ("int32", "int64", "float32", "float64"):
    for order in "CF":
        whole = lambda: random.integers(np.iinfo(t).min, np.iinfo(t).max, (70, 70), dtype=t)
        m = whole() if t[0] == "i" else random.standard_normal((70, 70)).astype(t)
        with open(f"{t}{order}.npy", "wb") as f:
            np.lib.format.write_array(f, np.asarray(m, order=order), version=(1, 0) if order == "C" else (2, 0))'
    for type in int32 int64 float32 float64; do
      for orders in "C C" "C F" "F C" "F F"; do
        read -r a b <<<"$orders"
        run 0 '' matmul $type$a.npy $type$b.npy --output "$type$a$b-product.npy"
        run 0 '' matadd $type$a.npy $type$b.npy --output "$type$a$b-sum.npy"
      done
    done
    $python -c 'import numpy as np
for t in ("int32", "int64", "float32", "float64"):
    for x in "CF":
        for y in "CF":
            a, b = np.load(f"{t}{x}.npy"), np.load(f"{t}{y}.npy")
            product, sum = np.load(f"{t}{x}{y}-product.npy"), np.load(f"{t}{x}{y}-sum.npy")
            assert product.dtype == sum.dtype == a.dtype, (t, x, y)
            assert np.array_equal(sum, a + b), (t, x, y)
            close = np.allclose(product, a @ b, rtol=1e-4, atol=1e-4) if t[0] == "f" else np.array_equal(product, a @ b)
            assert close, (t, x, y)' || complain "not what numpy has"
    ;;

  *) complain "there is no behaviour $behaviour" ;;
esac
exit "$wrong"
