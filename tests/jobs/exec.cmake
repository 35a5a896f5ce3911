# The job `exec`: what is printed and in which order, statuses, files, bad input, and what is left when it is ended.
#
# {command} in a script stands for the command; a script is one line of bash.
function(add_exec_test name script)
  string(REPLACE "{command}" "$<TARGET_FILE:rankpool_command>" script "${script}")
  add_inline_test(jobs/exec/${name} COMMAND ${expect} ${ARGN} --within 60 -- ${RANKPOOL_TEST_BASH} -c "${script}")
endfunction()

add_exec_test(commands-know-their-worker "RANKPOOL_SLOT=7 {command} exec ::: 'echo $RANKPOOL_RANK:$RANKPOOL_SLOT'" --form "^0:0$")
add_exec_test(prints-in-input-order "diff <(printf '%s\\n' 'sleep 0.2$<SEMICOLON> echo 1' 'echo 2' 'printf 3' | {command} exec) <(printf '1\\n2\\n3')")
add_exec_test(nothing-in-nothing-out "{command} exec" --lines 0 --stderr-lines 0)
add_exec_test(gives-all-choices "diff <({command} exec echo {2}-{1} ::: a b ::: x 'y  z') <(printf '%s\\n' x-a 'y  z-a' x-b 'y  z-b')")
add_exec_test(options-of-a-command-are-its-own "{command} exec --quiet printf --json=%s\\\\n --force {} ::: a" --lines 2)
add_exec_test(a-command-has-its-own-end-of-options "{command} exec grep -c -- --retries {} ::: ${CMAKE_CURRENT_LIST_DIR}/exec.sh" --lines 1)
add_exec_test(an-argument-follows-the-end-of-options "{command} exec grep -c -- {} ${CMAKE_CURRENT_LIST_DIR}/exec.sh ::: --retries" --lines 1)
add_exec_test(options-come-before-the-end-of-options "{command} exec --retries 1 -- echo ::: a b" --lines 2)
add_exec_test(a-file-fills-a-template "diff <({command} exec --as-completed <(printf 'a b\\r\\n\\n#c') -- printf '[%s]') <(printf '[a b][#c]')")
add_exec_test(job-names-are-arguments-too "diff <({command} exec printf '%s\\n' ::: sort exec --help) <(printf '%s\\n' sort exec --help)")
add_exec_test(dry-run-runs-nothing "diff <({command} exec --dry-run touch {}.x ::: 'a b' \"it's\") <(printf '%s\\n' \"touch 'a b.x'\" \"touch 'it'\\\\''s.x'\")")
add_exec_test(status-counts-failures "printf 'exit 9\\ntrue\\nkill -9 $$\\nno-such-program\\n' | {command} exec" --status 3 --stderr "no-such-program")
add_exec_test(status-of-many-failures-is-101 "yes false | head -n 150 | {command} exec" --status 101)
add_exec_test(status-75-is-not-a-count "yes false | head -n 75 | {command} exec --quiet" --status 76)
add_exec_test(stderr-goes-to-stderr "{command} exec ::: 'echo a >&2' 'echo b'" --lines 1 --stderr "^a$" --stderr-lines 1)
add_exec_test(a-reader-that-goes-away-ends-it "(yes 'echo x$<SEMICOLON> sleep 0.01' | {command} exec$<SEMICOLON> echo $? >&2) | head -n 1" --lines 1 --stderr "^141$")

add_exec_test(closed-stdin-is-not-missed "{command} exec ::: 'echo a' <&-" --lines 1 --stderr-lines 0)
add_exec_test(a-failure-is-told-in-a-line "{command} exec ::: true 'echo oh >&2$<SEMICOLON> exit 3' 'kill -9 $$' \": $(seq -s - 99)$<SEMICOLON> false\""
  --status 3 --lines 0 --stderr-lines 4 --stderr "^rankpool exec: command 2 failed with status 3: echo oh >&2$<SEMICOLON> exit 3$"
  --stderr "^rankpool exec: command 3 was ended by signal 9: kill -9 " --stderr "command 4 failed with status 1: .*-27-28-\\.\\.\\.$")
add_exec_test(what-exec-has-explained-it-does-not-tell-twice "{command} exec --timeout 0.1 ::: 'sleep 20'" --status 1 --stderr-lines 1 --stderr "command 1 was ended after 0.1 s")
add_exec_test(quiet-silences-no-failure "{command} exec --quiet ::: 'echo oh >&2$<SEMICOLON> false'" --status 1 --stderr-lines 2 --stderr "^oh$"
  --stderr "command 1 failed with status 1")
add_exec_test(quiet-silences-no-early-end "yes false | head -n 50 | {command} exec --quiet --max-failures 3" --status 3 --stderr-lines 4
  --stderr "exec stopped early because 3 commands failed")

# Columns, as GNU parallel splits and fills them.
add_exec_test(columns-of-lines "diff <(printf 'a,b\\nc , d\\n' | {command} exec --colsep , -- echo {2}-{1}) <(printf 'b-a\\nd-c\\n')")
add_exec_test(columns-by-tabs "diff <(printf 'a\\tb c\\n' | {command} exec --colsep '\\t' -- echo {2} {1}) <(echo 'b c a')")
add_exec_test(columns-by-an-expression "diff <(printf 'a  b\\n' | {command} exec --colsep ' +' -- echo {2}{1}) <(echo ba)")
add_exec_test(columns-of-all-lists "diff <({command} exec --colsep - echo {4} {3} {2} {1} ::: A-B ::: C-D) <(echo D C B A)")
add_exec_test(columns-that-are-missing-are-empty "diff <({command} exec --colsep , echo '[{3}]' ::: a,b) <(echo '[]')")

add_exec_test(max-failures-ends-a-run "yes false | head -n 50 | {command} exec --max-failures 3" --status 3 --stderr-lines 4
  --stderr "exec stopped early because 3 commands failed .--max-failures 3.$<SEMICOLON> some commands were not run$")
add_exec_test(fewer-failures-do-not-end-a-run "{command} exec --max-failures 2 ::: false 'echo a'" --status 1 --lines 1 --stderr-lines 1)
add_exec_test(delay-is-between-starts
  "begin=$(date +%s%N)$<SEMICOLON> {command} exec --delay 200ms ::: true true true$<SEMICOLON> (($(date +%s%N) - begin >= 400000000))")

set(exec_check ${RANKPOOL_TEST_BASH} ${CMAKE_CURRENT_LIST_DIR}/exec.sh ${command})
foreach(case order-on-ranks reader-gone named-pipe disk-full-while-running slow-reader log-is-followed log-and-results retries slots halt nested)
  add_rank_test(jobs/exec/${case} ENVIRONMENT RANKPOOL_WORKERS=2 COMMAND ${exec_check} ${case})
endforeach()
foreach(case killed worker-killed terminated)
  add_rank_test(jobs/exec/${case} ENVIRONMENT RANKPOOL_WORKERS=2 COMMAND ${exec_check} ${case})
endforeach()
add_inline_test(jobs/exec/full-disk COMMAND ${exec_check} full-disk)
set_tests_properties(jobs/exec/full-disk PROPERTIES SKIP_RETURN_CODE 77)
