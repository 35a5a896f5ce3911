#!/usr/bin/env bash
# journal.sh COMMAND WRITER CASE: tests one behaviour of `rankpool journal` in a new folder. COMMAND is `rankpool`; WRITER is
# the program that writes the journals (journal/writer.cpp).
set -u
command=$1 writer=$2 what=$3

# shellcheck source=../support/scratch.sh
source "${BASH_SOURCE[0]%/*}/../support/scratch.sh"
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
mkdir here tmp
cd here || exit 1
export TMPDIR=$scratch/tmp

# state: prints the names, modification times, sizes and checksums of all files in the folder.
state() { (shopt -s nullglob; for f in *; do stat -c '%n %Y %y %s' "$f"; cksum <"$f"; done); }

# inspect ARGUMENTS...: runs the command. It must succeed, change no file and leave no temporary file.
inspect() {
  local before after
  before=$(state)
  timeout 60 "$command" journal "$@" >"$scratch/stdout" 2>"$scratch/stderr" || fail "status $? of journal $*" "$scratch/stderr"
  after=$(state)
  [[ $after == "$before" ]] || fail "journal $* changed files from: $before to: $after"
  [[ -z $(ls "$scratch/tmp") ]] || fail "journal $* leaves $(ls "$scratch/tmp")"
}

# prints REGEX: checks that a line of stdout matches.
prints() { grep -qE -- "$1" "$scratch/stdout" || fail "no line matches $1:" "$scratch/stdout"; }

# refused STATUS REGEX ARGUMENTS...: runs the command. It must end with STATUS and print one line, on stderr, that matches REGEX.
refused() {
  local status=$1 regex=$2 before got text
  shift 2
  before=$(state)
  timeout 60 "$command" journal "$@" >"$scratch/stdout" 2>"$scratch/stderr"
  got=$?
  text=$(<"$scratch/stderr")
  ((got == status)) || fail "status $got of journal $*, expected $status: $text"
  [[ $text =~ $regex && $text != *$'\n'* && ! -s $scratch/stdout ]] || fail "journal $* prints: $text"
  [[ $(state) == "$before" ]] || fail "journal $* changes files"
  [[ -z $(ls "$scratch/tmp") ]] || fail "journal $* leaves $(ls "$scratch/tmp")"
}

# write FILE: writes a journal.
write() { "$writer" "$1" || fail "cannot write the journal"; }

# hold FILE: starts a run that writes a journal and keeps it open; release ends the run.
hold() {
  coproc held { "$writer" "$1" hold; }
  read -r -u "${held[0]}" line || fail "the writer ended early"
}
release() {
  local pid=$held_PID
  exec {held[1]}>&-
  wait "$pid" || fail "the writer ended with status $?"
}

# check_stdout CODE: runs Python code with the command's stdout as its stdin. Skips the test without Python.
check_stdout() {
  command -v python3 >/dev/null || exit 77
  python3 -c "$1" <"$scratch/stdout" || fail "the Python check failed for:" "$scratch/stdout"
}

time='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z'

case $what in
  summary)
    write run.journal
    inspect run.journal
    [[ $(sed -n 1p "$scratch/stdout") =~ ^run.journal:\ \'a\ test,\ of\ \"journal\"\',\ build\ [0-9a-f]{12}\ \(this\ program\ is\ another\ build\)$ ]] ||
      fail "the first line:" "$scratch/stdout"
    [[ $(sed -n 2p "$scratch/stdout") == "call 1 text_unless_fifth: 16 of 20 items, 80 %, 4 failed" ]] || fail "call 1:" "$scratch/stdout"
    [[ $(sed -n 3p "$scratch/stdout") == "call 2 square: 10 of 10 items, 100 %" ]] || fail "call 2:" "$scratch/stdout"
    prints '^  16 chunks, 4 failed items$'
    prints '^  task time [0-9.]+ (s|ms) in total, [0-9.]+ (ms|us) in the median$'
    prints "^  finished $time to $time\$"
    prints '^  [0-9.]+ items per second, about [0-9.]+ (s|ms|us) left$'
    prints "^  call 1 item 15 on rank [0-9]+ \(.+\), $time: std::invalid_argument: no multiple of 5, \"15\""
    prints '^  call 1 item 7: [0-9.]+ ms on rank [0-9]+ \(.+\)$'
    prints '^  [^ ]+: 26 items in 18 chunks, [0-9.]+ (s|ms), 4 failed$'
    [[ $(grep -A1 '^slowest tasks$' "$scratch/stdout" | tail -n 1) =~ "call 1 item 7: " ]] || fail "the first of the slowest tasks:" "$scratch/stdout"
    ;;
  json)
    write run.journal
    inspect run.journal --json --failures all --slowest 3
    check_stdout '
import json, sys
j = json.load(sys.stdin)
assert j["subject"] == "a test, of \"journal\"" and not j["of_this_build"]
first, second = j["calls"]
assert (first["name"], first["items"], first["done"], first["failed"], first["chunks"]) == ("text_unless_fifth", 20, 16, 4, 16)
assert first["seconds_left"] > 0 and second["seconds_left"] is None and second["items_per_second"] > 0
assert [f["item"] for f in j["failures"]] == [0, 5, 10, 15] and "no multiple of 5" in j["failures"][0]["error"]
assert len(j["slowest"]) == 3 and j["slowest"][0]["items"] == [7, 1] and j["slowest"][0]["seconds"] >= 0.06
assert sum(h["items"] for h in j["hosts"]) == 26'
    ;;
  most)
    write run.journal
    inspect run.journal --failures 1 --slowest 2
    prints '^  and 3 more: --failures all$'
    (($(grep -c 'std::invalid_argument' "$scratch/stdout") == 1)) || fail "not exactly one failure" "$scratch/stdout"
    (($(sed -n '/^slowest/,/^$/p' "$scratch/stdout" | grep -c '^  call') == 2)) || fail "not exactly two of the slowest tasks" "$scratch/stdout"
    inspect run.journal --slowest 100
    prints '^  call 2 items 5 to 9: '
    inspect run.journal --failures 0 --slowest 0
    ! grep -qE '^(failures|slowest tasks)$' "$scratch/stdout" || fail "headings of empty sections" "$scratch/stdout"
    ;;
  export-json)
    write run.journal
    inspect run.journal --export -
    [[ $(<"$scratch/stderr") == "rankpool journal: run.journal was written by another build of the program; values are omitted" ]] ||
      fail "wrong message:" "$scratch/stderr"
    check_stdout '
import json, sys, datetime
j = json.load(sys.stdin)
assert list(j) == ["subject", "build", "calls"]
first, second = j["calls"]
assert [r["item"] for r in first["results"]] == [n for n in range(20) if n % 5]
assert all("value" not in r and r["seconds"] > 0 and r["host"] for r in first["results"])
datetime.datetime.strptime(first["results"][0]["finished"], "%Y-%m-%dT%H:%M:%S.%fZ")
assert [f["item"] for f in first["failures"]] == [0, 5, 10, 15]
assert [r["items"] for r in second["results"]] == [[0, 5], [5, 5]] and second["failures"] == []'
    "$command" journal run.journal --export out.json 2>/dev/null || fail "cannot export to a file"
    cmp -s out.json "$scratch/stdout" || fail "the exports to a file and to stdout differ"
    refused 2 "--export out.json exists already; --force replaces it" run.journal --export out.json
    "$command" journal run.journal --export out.json --force 2>/dev/null || fail "--force does not replace the file"
    ;;
  export-csv)
    write run.journal
    inspect run.journal --export - --format csv
    check_stdout '
import csv, sys
rows = list(csv.DictReader(sys.stdin))
assert list(rows[0]) == ["call", "item", "value", "seconds", "rank", "host", "finished", "error"]
assert [r["item"] for r in rows if r["call"] == "1" and not r["error"]] == [str(n) for n in range(20) if n % 5]
assert [r["item"] for r in rows if r["error"]] == ["0", "5", "10", "15"]
assert "no multiple of 5, \"15\"" in [r for r in rows if r["error"]][-1]["error"]
assert [r["item"] for r in rows if r["call"] == "2"] == ["0-4", "5-9"]'
    "$command" journal run.journal --export out.csv 2>/dev/null || fail "cannot export to a file"
    cmp -s out.csv "$scratch/stdout" || fail "the export to out.csv is not the CSV of stdout:" out.csv
    ;;
  open)
    hold run.journal
    [[ -s run.journal-wal ]] || fail "the writer has no write-ahead log"
    inspect run.journal
    prints '^call 1 text_unless_fifth: 16 of 20 items, 80 %, 4 failed$'
    prints '^call 3 square: 1[0-9] items$'
    inspect run.journal --verify
    prints '^intact: '
    release
    inspect run.journal
    ;;
  read-only)
    write run.journal
    chmod a-w run.journal .
    inspect run.journal
    inspect run.journal --verify
    prints '^intact: 18 chunks match their checksums$'
    ;;
  damaged)
    write run.journal
    LC_ALL=C sed 's/xxxxxxxxxx7/xxxxyxxxxx7/' run.journal >byte.journal
    ! cmp -s run.journal byte.journal || fail "the copy is not damaged"
    refused 1 "journal 'byte.journal' is damaged \(the result of item 7 fails its checksum\)" byte.journal --verify
    refused 1 "is damaged \(the result of item 7 " byte.journal --export out.json
    [[ ! -e out.json ]] || fail "an incomplete export is left"
    head -c 20000 run.journal >cut.journal
    refused 1 "journal 'cut.journal' is damaged" cut.journal
    refused 1 "journal 'cut.journal' is damaged" cut.journal --verify
    ;;
  without-tables)
    # The state after a run that is killed before it creates the tables.
    python3 -c 'import sqlite3; sqlite3.connect("run.journal").execute("PRAGMA journal_mode = WAL")' || exit 77
    [[ -s run.journal ]] || fail "the file is empty"
    refused 1 "journal 'run.journal' is empty: no run has begun it" run.journal
    write run.journal
    inspect run.journal
    prints '^call 1 text_unless_fifth: 16 of 20 items'
    ;;
  refused)
    refused 1 "journal 'none' does not exist" none
    refused 1 "journal '.' is not a regular file" .
    : >empty
    refused 1 "journal 'empty' is empty: no run has begun it" empty
    head -c 5000 /dev/urandom >noise
    refused 1 "journal 'noise' is not a journal" noise
    write run.journal
    { head -c 60 run.journal; printf '\0\0\0\x09'; tail -c +65 run.journal; } >later.journal
    refused 1 "journal 'later.journal' has format 9, but this version supports format 5 only" later.journal
    TMPDIR=/dev/null refused 1 "set TMPDIR to another folder" run.journal
    ;;
  usage)
    refused 2 "rankpool journal --help" 
    refused 2 "--failures requires a whole number or all, not 'few'" x --failures few
    refused 2 "--slowest" x --slowest -1
    refused 2 "--format" x --export - --format xml
    refused 2 "--export" x --format csv
    refused 2 "--export" x --export - --json
    refused 2 "--export no/folder/x cannot be written" x --export no/folder/x
    ;;
  under-a-launcher)
    write run.journal
    PMI_RANK=0 inspect run.journal
    prints '^call 1 '
    PMI_RANK=1 inspect run.journal
    [[ ! -s $scratch/stdout ]] || fail "rank 1 prints" "$scratch/stdout"
    ;;
  *)
    fail "journal.sh: unknown case $what"
    ;;
esac
