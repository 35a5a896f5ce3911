#!/usr/bin/env bash
# files.sh CASE COMMAND...: input and output files of all jobs; COMMAND runs `rankpool`. Prints what is wrong.
set -u
case=$1
shift
command=("$@")

# shellcheck source=../support/scratch.sh
source "${BASH_SOURCE[0]%/*}/../support/scratch.sh"
wrong=0
complain() {
  echo "$1"
  wrong=1
}

# run STATUS [REGEX] -- ARGUMENT...: the job ends with that status, with one line on stderr that matches if there is a REGEX.
run() {
  local expected=$1 regex='' got
  shift
  [[ $1 == -- ]] || { regex=$1 && shift; }
  shift
  timeout 60 "${command[@]}" "$@" >stdout 2>stderr
  got=$?
  ((got == expected)) || complain "status $got, not $expected: $*: $(<stderr)"
  [[ -z $regex ]] || { [[ $(wc -l <stderr) == 1 ]] && grep -qE -- "$regex" stderr; } || complain "$* says: $(<stderr)"
}

# npy SHAPE NUMBER...: a file of int64.
npy() {
  local text="{'descr': '<i8', 'fortran_order': False, 'shape': ($1), }" n
  printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$text"
  shift
  for n in "$@"; do printf '%b' "\\x$(printf %02x "$n")\0\0\0\0\0\0\0"; done
}
numbers() { tail -c +129 "$1" | od -An -v -w8 -t d8 | tr -s ' \n' ' '; }

# A list of commands and of numbers, and its other names.
make_list() {
  mkdir elsewhere
  ln -s ../list elsewhere/link
  ln list hard
  ln -s . same
}
names=(list elsewhere/link same/list)

case $case in
  own-input)
    echo 'echo 7' >list
    make_list
    for output in "${names[@]}"; do
      run 2 "--output $output and FILE list are the same file" -- exec list --output "$output" --force
      run 2 "--log $output and FILE list are the same file" -- exec list --log "$output" --force
      run 2 "--results $output and FILE list are the same file" -- exec list --results "$output" --force
      run 2 "--output $output and FILE list are the same file" -- exec list --output "$output" --force -- echo
      run 2 "--output list and FILE $output are the same file" -- exec "$output" --output list --force
      run 2 "--output $output and --file list are the same file" -- is-prime --file list --output "$output" --force
    done
    run 2 "--output list and standard input are the same file" -- exec --output list --force <list
    run 2 "--output list and standard input are the same file" -- is-prime - --output list --force <list
    run 2 "--output list and standard input are the same file" -- divide - --output list --force <list
    # Appended to the list itself, results would be read as input, without end
    timeout 60 "${command[@]}" exec list >>list 2>stderr
    [[ $? == 2 ]] && grep -q "standard output and FILE list are the same file" stderr || complain "exec list >>list: $(<stderr)"
    run 2 "--output list and --journal list are the same file" -- squares --journal list --output list --force
    [[ $(<list) == 'echo 7' && -L elsewhere/link && $(<hard) == 'echo 7' ]] || complain "the list was overwritten: $(ls -l) $(<list)"
    # A hard link is a name of its own: the list keeps what it holds
    run 0 -- exec list --output hard --force
    [[ $(<list) == 'echo 7' && $(<hard) == 7 ]] || complain "the list: $(<list), its hard link: $(<hard)"

    run 0 -- squares --to 3 --journal journal
    before=$(cksum <journal)
    run 2 "--export journal and the journal journal are the same file" -- journal journal --export journal --force
    [[ $(cksum <journal) == "$before" ]] || complain "the journal was overwritten"
    ;;

  own-input-replaced)  # where the result is of the input's kind; not with a journal, as a run that is resumed reads its input again
    npy 3, 3 1 2 >list
    make_list
    run 2 "are the same file" -- sort list --output elsewhere/link --force --journal kept
    [[ $(numbers list) == ' 3 1 2 ' && ! -e kept ]] || complain "with a journal: $(numbers list)"
    run 0 -- sort list --output elsewhere/link --force --verify
    [[ $(numbers list) == ' 1 2 3 ' && -L elsewhere/link && $(numbers hard) == ' 3 1 2 ' ]] || complain "sorted: $(numbers list)"
    npy '2, 2' 1 2 3 4 >a.npy
    npy '2, 2' 5 6 7 8 >b.npy
    ln -s b.npy link.npy
    run 2 "are the same file" -- matadd a.npy b.npy --output a.npy --force --journal kept
    run 2 "are the same file" -- matmul a.npy b.npy --output link.npy --force --journal kept
    run 0 -- matadd a.npy b.npy --output a.npy --force --verify
    [[ $(numbers a.npy) == ' 6 8 10 12 ' ]] || complain "sum: $(numbers a.npy)"
    run 0 -- matmul a.npy b.npy --output link.npy --force --verify
    [[ $(numbers b.npy) == ' 86 100 134 156 ' && -L link.npy ]] || complain "product: $(numbers b.npy)"
    ln -s a.npy text
    run 2 "--output text and A a.npy are the same file" -- matadd a.npy b.npy --output text --force
    ;;

  number-files)  # a byte order mark and Windows line ends do not change the numbers; what is not such a list is refused
    printf '\xef\xbb\xbf7\r\n8\r\n' >list
    run 0 -- is-prime --file list
    [[ $(<stdout) == $'7 prime\n8 composite' ]] || complain "with a byte order mark: $(<stdout)"
    printf '\xef\xbb\xbf8/2\r\n' >list
    run 0 -- divide - <list
    [[ $(<stdout) == 'Result: 4.0' ]] || complain "a division after a byte order mark: $(<stdout)"
    printf '\xff\xfe7\0\n\0' >list
    run 2 "list is UTF-16 text; convert it to UTF-8" -- is-prime --file list
    run 2 "standard input is UTF-16 text" -- divide - <list
    for bad in '7\0' '7\0\n' '7\r8\n' '7\n\xef\xbb\xbf8\n' '\xe2\x88\x927\n' '7 8\n' '0x7\n'; do
      printf '%b' "$bad" >list
      run 2 "not a whole number" -- is-prime --file list
      [[ ! -s stdout || $(<stdout) == '7 prime' ]] || complain "$bad: $(<stdout)"
    done
    ;;

  *) complain "there is no case $case" ;;
esac
exit "$wrong"
