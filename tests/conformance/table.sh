#!/usr/bin/env bash
# table.sh [--write] LIST: joins behaviours.txt with the results of the tests, and compares the table with README.md, or writes it.
#
# LIST, written by CMake, has a line for each test of ctest that writes a record, with fields separated by tabs: mode, name, file of
# the record, program, and the tags of the behaviours that the test proves. If there are no tags, the record has them. A record has
# lines of status, name and tags (support/record.cpp, support/record.sh).
#
# The status is 1 if a behaviour has no passing test in a required mode, if a test has an unknown tag, or if README.md differs from the
# table; 77 (skipped) if a test has not run since it was built.
set -u
export LC_ALL=C
modes="ranks threads inline"  # the columns
needs="ranks inline"          # modes in which a behaviour without modes requires a test

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
write=''
if [[ ${1:-} == --write ]]; then write=yes; shift; fi
list=${1:?"usage: table.sh [--write] LIST, where LIST is tests/records.txt in the build directory"}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

stale=()
while IFS=$'\t' read -r mode name file program tags; do
  if [[ ! -e $file || $program -nt $file ]]; then
    stale+=("$name")
    continue
  fi
  awk -F '\t' -v OFS='\t' -v mode="$mode" -v tags="$tags" '{ print mode, $1, $2, tags == "" ? $3 : tags }' "$file"
done <"$list" >"$scratch/records"
if ((${#stale[@]})); then
  echo "no table, because these tests have not run since they were built; run all tests with tests/run: ${stale[*]}"
  exit 77
fi

sort -t $'\t' -k 3,3 "$scratch/records" | awk -F '\t' -v modes="$modes" -v needs="$needs" -v table="$scratch/table" '
  function complain(line) { print line; wrong = 1 }

  # The first input, behaviours.txt: "## section", "tag: behaviour", or "tag (modes): behaviour". Comments begin with "# ".
  FNR == NR {
    if ($0 ~ /^## /) { ++rows; section[rows] = substr($0, 4); next }
    if ($0 ~ /^#/ || $0 == "") next
    if ($0 !~ /^[a-z]+\/[a-z0-9-]+( \([a-z ]+\))?: ./) { complain("behaviours.txt: this line is not of the form \"tag: behaviour\": " $0); next }
    colon = index($0, ": ")
    head = substr($0, 1, colon - 1)
    here = needs
    if ((bracket = index(head, " (")) > 0) {
      here = substr(head, bracket + 2, length(head) - bracket - 2)
      head = substr(head, 1, bracket - 1)
    }
    if (head in row_of) complain("behaviours.txt: two lines have the tag " head)
    ++rows
    ++count
    row_of[head] = rows; tag[rows] = head; text[rows] = substr($0, colon + 2); needed[rows] = " " here " "
    next
  }

  # The second input, the records: mode, status, name, tags. A test counts in a mode if it passed there and never failed there.
  {
    n = split($4, tags, " ")
    for (i = 1; i <= n; ++i) {
      if (tags[i] == "ranks" || tags[i] == "processes" || tags[i] == "fault") continue
      if (!(tags[i] in row_of)) {
        if (!(tags[i] in unknown)) complain("test \"" $3 "\" has the tag [" tags[i] "], which is not in behaviours.txt")
        unknown[tags[i]] = 1
        continue
      }
      r = row_of[tags[i]]
      if (!((r, $3) in listed)) {
        listed[r, $3] = 1
        tests[r] = tests[r] (tests[r] == "" ? "" : "\t") $3
      }
      if ($2 == "passed") passed[r, $3, $1] = 1
      if ($2 == "failed") failed[r, $3, $1] = 1
    }
  }

  END {
    m = split(modes, mode, " ")
    for (r = 1; r <= rows; ++r) {
      if (r in section) {
        printf "\n## %s\n\n| tag | behaviour |", section[r] >table
        for (j = 1; j <= m; ++j) printf " %s |", mode[j] >table
        printf " proved by |\n| --- | --- |" >table
        for (j = 1; j <= m; ++j) printf " :-: |" >table
        printf " --- |\n" >table
        continue
      }
      printf "| `%s` | %s |", tag[r], text[r] >table
      n = split(tests[r], name, "\t")
      for (j = 1; j <= m; ++j) {
        shown = 0
        for (i = 1; i <= n; ++i) shown = shown || (((r, name[i], mode[j]) in passed) && !((r, name[i], mode[j]) in failed))
        printf " %s |", shown ? "✓" : "–" >table
        if (!shown && index(needed[r], " " mode[j] " ")) complain("no passing test " (mode[j] == "inline" ? "" : "on ") mode[j] ": [" tag[r] "] " text[r])
      }
      for (i = 1; i <= n; ++i) printf "%s%s", i == 1 ? " " : "<br>", name[i] ~ / / ? name[i] : "`" name[i] "`" >table
      printf " |\n" >table
    }
    printf "\n%d behaviours.\n", count >table
    exit wrong
  }
' "$here/behaviours.txt" - || exit 1

{
  cat <<'END'
# The behaviours of a pool, and the tests that prove them

`table.sh` generates this file from `behaviours.txt` and the results of the tests; do not edit it. A test has the tags of the behaviours
that it proves: `[map/order]` on a `TEST_CASE`, `PROVES map/order` for a program in CMake. ✓: at least one such test passes in this mode.
–: no test, because the behaviour does not apply to this mode or needs no test there. After `tests/run --all`, this command updates the
file:

    tests/conformance/table.sh --write build/release/tests/records.txt
END
  cat "$scratch/table"
} >"$scratch/readme"

if [[ -n $write ]]; then
  cp "$scratch/readme" "$here/README.md"
elif ! cmp -s "$scratch/readme" "$here/README.md"; then
  echo "tests/conformance/README.md is out of date (< current file, > results of the tests):"
  diff "$here/README.md" "$scratch/readme" | head -n 40
  echo "To update it: tests/conformance/table.sh --write $list"
  exit 1
fi
