# What is common to all jobs: one JSON object, checks, chunks, quiet.
function(add_json_check name form)
  add_inline_test(jobs/json/${name} COMMAND ${expect} --lines 1 --form ${form} --stderr-lines 0 --within 20 -- ${command} ${ARGN} --json)
endfunction()
set(costs "\"status\": \"done\", \"wall_seconds\":[0-9.e-]+,\"cpu_seconds\":[0-9.e-]+,\"tasks\":[0-9]+,\"taken_over\":[0-9]+,\"workers\":[0-9]+}$")
add_json_check(lines "^{\"job\": \"squares\", \"parameters\": {\"chunksize\":null,\"force\":false,\"from\":\"1\",\"output\":null,\"to\":\"2\",\"verify\":false,\"workers\":null}, \"lines\": \\[\"Square of 1: 1\", \"Square of 2: 4\"\\], ${costs}" squares --to 2)
add_json_check(figures "\"result\": {\"sum\": 250000500000250000000000}" sum-cubes --to 1e6)
add_json_check(verified "\"result\": {\"count\": 9592}, \"verified\": \"pi of this power of ten" primes 1 1e5 --count --verify)
add_inline_test(jobs/json/failed COMMAND ${expect} --status 1 --lines 1 --form "\"status\": \"failed\", \"error\": \"some tasks failed\"" -- ${command} divide --strict --json)

# --verify: each job is right by its own check, on ranks and in any order of options.
function(add_verified job)
  add_inline_test(jobs/verify/${job}/inline COMMAND ${expect} --stderr "verified: " --within 30 -- ${command} ${job} ${ARGN} --verify --verbose)
  add_rank_test(jobs/verify/${job}/ranks-3 COMMAND ${expect} --stderr "verified: " --within 60 -- ${three} ${command} ${job} ${ARGN} --verify --verbose)
endfunction()
add_verified(squares --from -3 --to 20000)
add_verified(cubes --from -3 --to 20000)
add_verified(is-prime 0 1 2 97 561 2^61-1 2^64-59 2^127-1 3215031751)
add_verified(sum-squares --from 5 --to 1e6)
add_verified(sum-cubes --to 1e6)
add_verified(fibonacci 0 1 2 93 94 50000)
add_verified(primes 1e18 1e18+1e6 --list)
add_verified(factorial 0 1 2 20 21 3000)
add_verified(factorials 100 2000)

# A chunk is what one task gets.
add_json_check(chunks "\"tasks\":10," squares --from 1 --to 100 --chunksize 10)
add_usage_error(chunk-of-nothing "--chunksize" squares --chunksize 0)

# Where results go: these are names of stdout, which is a file here; an empty name is none.
add_inline_test(jobs/output/minus COMMAND ${expect} --lines 1 --form "^Square of 2: 4$" -- ${command} squares --from 2 --to 2 --output -)
add_inline_test(jobs/output/dev-stdout COMMAND ${expect} --lines 1 --form "^Square of 2: 4$" -- ${command} squares --from 2 --to 2 --output /dev/stdout)
add_json_check(to-minus "\"lines\": \\[\"Square of 2: 4\"\\], ${costs}" squares --from 2 --to 2 --output -)
add_usage_error(output-without-name "--output" squares --output "")
add_usage_error(npy-output-without-name "--output" matadd --output "")
add_usage_error(npy-output-beside-devices "/dev/c.npy is not a regular file" matadd --size 2 --output /dev/c.npy)

# Input and output: files.sh has the cases.
set(files_case ${RANKPOOL_TEST_BASH} ${CMAKE_CURRENT_LIST_DIR}/files.sh)
foreach(case own-input own-input-replaced number-files)
  add_inline_test(jobs/files/${case}/inline TIMEOUT 60 COMMAND ${files_case} ${case} ${command})
  add_rank_test(jobs/files/${case}/self-launched TIMEOUT 300 ENVIRONMENT RANKPOOL_WORKERS=2 COMMAND ${files_case} ${case} ${command})
endforeach()

# What a check trips over, and a result that cannot be written, end in one line; with --json the object is whole all the same.
add_usage_error(check-trips-over-a-file "rcu_expedited" sort /sys/kernel/rcu_expedited --type int64 --output x)
add_inline_test(jobs/json/output-fails COMMAND ${expect} --status 1 --lines 1 --form "\"status\": \"failed\", \"error\": \"cannot write /dev/full: .*}$"
  --stderr-lines 1 -- ${command} squares --json --output /dev/full)

# A stdout that cannot be written, or is closed, is never taken for one that was. `script` is a line of bash.
function(add_lost_output name script)
  string(REPLACE "{command}" "$<TARGET_FILE:rankpool_command>" script "${script}")
  set(check ${expect} --status 1 --stderr "cannot write standard output" --stderr-lines 1 --within 30 -- ${RANKPOOL_TEST_BASH} -c "${script}")
  add_inline_test(jobs/lost-output/${name}/inline COMMAND ${check})
  add_rank_test(jobs/lost-output/${name}/self-launched ENVIRONMENT RANKPOOL_WORKERS=2 COMMAND ${check})
endfunction()
add_lost_output(help "{command} --help > /dev/full")
add_lost_output(help-of-a-job "{command} squares --help > /dev/full")
add_lost_output(version "{command} --version >&-")
add_lost_output(full "{command} squares > /dev/full")
add_lost_output(closed "{command} squares >&-")
add_lost_output(json-closed "{command} squares --json >&-")

# Nor is a stdin that is closed taken for an empty one.
foreach(job is-prime divide)
  set(closed_stdin ${expect} --status 2 --lines 0 --stderr "standard input cannot be read: it is closed" --stderr-lines 1 --within 30
    -- ${RANKPOOL_TEST_BASH} -c "'${command}' ${job} - <&-")
  add_inline_test(jobs/usage/closed-stdin/${job}/inline COMMAND ${closed_stdin})
  add_rank_test(jobs/usage/closed-stdin/${job}/self-launched ENVIRONMENT RANKPOOL_WORKERS=2 COMMAND ${closed_stdin})
endforeach()

# A progress bar in a terminal.
set(bar ${RANKPOOL_TEST_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/../programs/terminal.py progress-bar
  ${command} exec ::: "until test -e go$<SEMICOLON> do sleep 0.05$<SEMICOLON> done")
add_inline_test(jobs/progress-bar/inline COMMAND ${bar})
add_rank_test(jobs/progress-bar/self-launched ENVIRONMENT RANKPOOL_WORKERS=2 COMMAND ${bar})

# Messages name the word that is meant, and show what it holds.
add_usage_error(option-before-the-job "'--json' stands before the job, and options stand after it" --json squares)
add_usage_error(option-without-a-job "a job is missing before '--json'" --json)
string(ASCII 27 escape)
add_usage_error(control-characters "not '1.x1b.31m'" squares --to "1${escape}[31m")
add_usage_error(control-characters-in-a-name "--output no.x1b.31m/x" squares --output "no${escape}[31m/x")

# What --json says is enough to have the result again.
add_json_check(default-list "\"n\":\\[\"35\",\"40\",\"30\"\\]," fibonacci)
add_json_check(given-list "\"n\":\\[\"2e1\",\"7\"\\]," factorial 2e1 7)
add_inline_test(jobs/json/arguments-of-exec COMMAND ${expect} --form "\"arguments\":\\[\"echo\",\":::\",\"a\"\\]," -- ${command} exec --json echo ::: a)
add_json_check(drawn-seed "\"seed\":null,.*\"result\": {\"seed\": [0-9]+}" sort)
add_json_check(figures-of-factorials
  "\"result\": {\"factorials\": \\[{\"n\":10,\"digits\":7,\"first\":\"3628800\",\"last\":\"36288\",\"zeros\":2,\"bits\":22},{\"n\":0,.*}\\]}" factorials 10 0)
add_json_check(figures-of-a-factorial "\"result\": {\"factorials\": \\[{\"n\":10,\"digits\":7,.*}\\]}" factorial 10)

# Options have an effect or are refused.
add_json_check(chunks-of-is-prime "\"tasks\":3," is-prime 1 2 3 4 5 --chunksize 2)
add_json_check(chunks-of-sort "\"chunksize\":\"2\",.*\"Sorted list 4 " sort --lists 5 --chunksize 2)
add_inline_test(jobs/output/factorials COMMAND ${expect} --lines 0 --stderr-lines 0 -- ${command} factorials 10 --output /dev/null)
add_inline_test(jobs/output/factorial COMMAND ${expect} --lines 0 --stderr-lines 0 -- ${command} factorial 10 --output /dev/null)
add_usage_error(chunks-of-divide "--chunksize" divide --chunksize 2)
add_usage_error(chunks-of-a-file "--chunksize" sort x --output y --chunksize 2)
add_usage_error(seed-without-size "--seed" matmul --seed 4)
add_usage_error(radius-without-pictures "--radius" image --radius 3)
add_usage_error(factorials-example-verified "--verify" factorial --verify)
add_usage_error(factorials-example-workers "--workers" factorial --workers 1)
add_usage_error(one-file-for-output-and-digits "--digits x and --output x are the same file" factorial 10 --output x --digits x)
add_usage_error(folder-of-numbers "--file / is a folder" is-prime --file /)
add_usage_error(file-for-folder "common.cmake: Not a directory" squares --output ${CMAKE_CURRENT_LIST_DIR}/common.cmake/x)
add_usage_error(half-a-division "'10/' is not a division of two numbers .write it as 10/4" divide 10/)
add_usage_error(interval-with-a-default "to takes a number that is not less than --from, 10: not 5, its default" squares --from 10)
add_inline_test(jobs/primes/one-number-is-the-last COMMAND ${expect} --lines 1 --stderr-lines 0 --form "^25$" -- ${command} primes 100 --count)
add_inline_test(jobs/primes/zero-alone COMMAND ${expect} --lines 1 --form "^0$" -- ${command} primes 0 --count)
add_json_check(primes-one-number "\"from\":\"1\",.*\"to\":\"100\".*\"count\": 25" primes 100 --count)
add_usage_error(interval-that-is-given "not less than --from, 2: not 1$" squares --from 2 --to 1)
