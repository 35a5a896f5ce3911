# What is common to all jobs: one JSON object, checks, chunks, quiet.
function(add_json_check name form)
  add_inline_test(jobs/json/${name} COMMAND ${expect} --lines 1 --form ${form} --stderr-lines 0 --within 20 -- ${command} ${ARGN} --json)
endfunction()
set(costs "\"status\": \"done\", \"cpu_seconds\":[0-9.e-]+,\"tasks\":[0-9]+,\"wall_seconds\":[0-9.e-]+,\"workers\":[0-9]+}$")
add_json_check(lines "^{\"job\": \"squares\", \"parameters\": {\"to\":\"2\"}, \"lines\": \\[\"Square of 1: 1\", \"Square of 2: 4\"\\], ${costs}" squares --to 2)
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
add_json_check(chunks "\"tasks\":10,\"wall" squares --from 1 --to 100 --chunksize 10)
add_usage_error(chunk-of-nothing "--chunksize" squares --chunksize 0)

# Where results go: these are names of stdout, which is a file here; an empty name is none.
add_inline_test(jobs/output/minus COMMAND ${expect} --lines 1 --form "^Square of 2: 4$" -- ${command} squares --from 2 --to 2 --output -)
add_inline_test(jobs/output/dev-stdout COMMAND ${expect} --lines 1 --form "^Square of 2: 4$" -- ${command} squares --from 2 --to 2 --output /dev/stdout)
add_json_check(to-minus "\"lines\": \\[\"Square of 2: 4\"\\], ${costs}" squares --from 2 --to 2 --output -)
add_usage_error(output-without-name "--output" squares --output "")
add_usage_error(npy-output-without-name "--output" matadd --output "")
add_usage_error(npy-output-beside-devices "parts from workers" matadd --size 2 --output /dev/c.npy)
