# Known answers where naive code breaks: nothing, one and two; the edges of 32 and 64 bits; pseudoprimes of many bases.
set(expected ${CMAKE_CURRENT_SOURCE_DIR}/expected)
# add_known(NAME "what expect.sh is to expect" JOB...): inline and on ranks.
function(add_known name expected_output)
  add_inline_test(jobs/known/${name}/inline COMMAND ${expect} ${expected_output} -- ${command} ${ARGN})
  add_rank_test(jobs/known/${name}/ranks-3 COMMAND ${expect} ${expected_output} -- ${three} ${command} ${ARGN})
endfunction()

add_known(primes-across-2^32 "--stdout;${expected}/primes-across-2^32.txt" primes 2^32-200 2^32+200 --list)
# These two first find all primes below 10^9 and 2^32: once is enough.
add_inline_test(jobs/known/primes-up-to-2^64
  COMMAND ${expect} --stdout ${expected}/primes-up-to-2^64.txt -- ${command} primes 2^64-200 2^64-1 --list)
add_rank_test(jobs/known/primes-at-10^18
  COMMAND ${expect} --form "^24280$" -- ${three} ${command} primes 1e18 1e18+1e6 --count --chunksize 600_000)
# One task counts, and one tests the end of what that has sieved.
add_json_check(tasks-of-primes-verified "\"result\": {\"count\": 24280}, \"verified\": \"a test of primality .*\"tasks\":2," primes 1e18 1e18+1e6 --count --verify)
add_json_check(stretches-of-primes-verified "\"verified\": .* among 1260000 numbers, at the end of 63 segments\".*\"tasks\":126," primes 1e6 1e6+1259999 --count --verify --chunksize 20000)
add_known(no-primes "--form;^0$" primes 0 1 --count)
add_known(is-prime "--stdout;${expected}/is-prime.txt" is-prime --file ${expected}/is-prime-numbers.txt)
add_known(is-prime-below-two "--form;^(0|1|-7) neither prime nor composite$;--lines;3" is-prime 0 1 -7)
# Primes of up to 300 digits are proven, unless --fast is given.
add_known(is-prime-limit "--form;^(1e299\\+669 prime|1e300\\+331 probably prime \\(error < 4\\^-20\\)|2\\^1279-1 probably prime .*)$;--lines;3"
          is-prime 1e299+669 1e300+331 2^1279-1)
add_known(is-prime-fast "--form;^(2\\^89-1 probably prime \\(error < 4\\^-7\\)|2\\^61-1 prime|2\\^83-1 composite)$;--lines;3"
          is-prime --fast --rounds 7 2^89-1 2^61-1 2^83-1)
add_known(is-prime-fast-file "--stdout;${expected}/is-prime-fast.txt" is-prime --fast --file ${expected}/is-prime-numbers.txt)
add_known(fibonacci "--as-set;--stdout;${expected}/fibonacci.txt" fibonacci 0 1 2 93 94)
add_known(sum-of-nothing "--form;^Total sum of squares: 0$" sum-squares --from 0 --to 0)
add_known(sum-of-the-largest "--form;: 100000000000000000000000000000000000000$" sum-squares --from 1e19 --to 1e19)
add_known(square-of-the-smallest "--form;^Square of -9000000000000000000: 81000000000000000000000000000000000000$"
          squares --from -9e18 --to -9e18)
add_known(factorial-of-0 "--form;^0!: 1 digit" factorial 0)

add_usage_error(reversed-interval "--to takes a number that is not less than --from" squares --from 2 --to 1)
add_usage_error(reversed-primes "to takes a number that is not less than from" primes 10 1)
add_usage_error(too-large "2\\^64" primes 1 2^64)
add_usage_error(fraction "1.5" squares --to 1.5)
add_usage_error(no-such-file "/no/such/file" is-prime --file /no/such/file)
add_usage_error(no-division "abc" divide abc)
