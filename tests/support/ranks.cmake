# Functions that add tests in each mode: under mpirun, self-launched, inline in one process, or with threads as workers. They also
# set up the records for the table of conformance.
#
# Tests on ranks count as two processes for `ctest -j`, because their ranks often wait. Sanitizer builds do not have them, because MPI
# itself is not clean under sanitizers, and the inline tests run the same code.

find_program(RANKPOOL_TEST_MPIRUN NAMES mpirun mpiexec HINTS ${MPIEXEC_EXECUTABLE} REQUIRED)
find_program(RANKPOOL_TEST_BASH bash REQUIRED)

# with_recovery: options of mpirun with which the other ranks go on when one ends.
execute_process(COMMAND ${RANKPOOL_TEST_MPIRUN} --version OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
set(with_recovery --with-ft ulfm --runtime-options error-nonzero-status=0)
if(version MATCHES "Open MPI. 4[.]")
  set(with_recovery --enable-recovery)
endif()
find_program(RANKPOOL_TEST_PYTHON python3 REQUIRED)

# By default, mpirun refuses to run as root or to start more ranks than cores. Without a network interface but loopback, Open MPI 5
# prints warnings in programs that initialise MPI themselves; run() prevents them, which the tests of the command show.
set(rank_environment
  OMPI_MCA_reachable=weighted
  OMPI_ALLOW_RUN_AS_ROOT=1
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  OMPI_MCA_rmaps_base_oversubscribe=1
)
# The factor by which a sanitizer slows tests down. Time limits are multiplied by it and the sizes of large tests are divided by it
# (sizes.hpp), so that tests also stay within their limits on a busy machine.
set(slowdown 1)
if(RANKPOOL_SANITIZE)
  set(slowdown 5)
endif()

# Compares the output and the status of a program with the expected ones.
set(expect ${RANKPOOL_TEST_BASH} ${CMAKE_CURRENT_LIST_DIR}/expect.sh)
set(record ${RANKPOOL_TEST_BASH} ${CMAKE_CURRENT_LIST_DIR}/record.sh)
set(records ${CMAKE_CURRENT_BINARY_DIR}/records)

# Sets `result` to the launcher's command line for `ranks` ranks on this machine.
function(on_ranks result ranks)
  set(${result} ${RANKPOOL_TEST_MPIRUN} -n ${ranks} --oversubscribe --bind-to none PARENT_SCOPE)
endfunction()

# Every test may prove behaviours of conformance/behaviours.txt. RECORDS is for programs of test cases, which write a record of each
# case. PROVES tag... is for all others. conformance/table.sh reads the records.

# add_rank_test(NAME [LONG] [RANKS n] [TIMEOUT s] [ENVIRONMENT ...] [RECORDS | PROVES ...] COMMAND ...): with RANKS, the command runs
# under mpirun. Without RANKS, the command starts its ranks itself. LONG: only `tests/run --all` runs the test.
function(add_rank_test name)
  if(RANKPOOL_SANITIZE)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "RECORDS;LONG" "RANKS;TIMEOUT" "COMMAND;ENVIRONMENT;PROVES")
  set_time_limit()
  set(launcher)
  if(arg_RANKS)
    on_ranks(launcher ${arg_RANKS})
  endif()
  set(mode ranks)
  if(arg_RANKS EQUAL 1)  # rankpool::run runs tasks inline on one rank
    set(mode inline)
  endif()
  add_recorded_test(${name} ${mode} "${launcher}")
  set(labels ranks)
  if(arg_LONG)
    list(APPEND labels long)
  endif()
  set_tests_properties(${name} PROPERTIES
    LABELS "${labels}" TIMEOUT ${arg_TIMEOUT} PROCESSORS 2 ENVIRONMENT "${rank_environment};${arg_ENVIRONMENT}")
endfunction()

# add_inline_test(NAME [TIMEOUT s] [RECORDS | PROVES ...] COMMAND ...): all tasks run inline in one process.
function(add_inline_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "RECORDS" "TIMEOUT" "COMMAND;PROVES")
  set_time_limit()
  set(arg_ENVIRONMENT RANKPOOL_WORKERS=0)
  add_recorded_test(${name} inline "")
  set_tests_properties(${name} PROPERTIES LABELS inline TIMEOUT ${arg_TIMEOUT} ENVIRONMENT "${arg_ENVIRONMENT}")
endfunction()

# add_thread_test(NAME [LONG] THREADS n [SOCKETS] [TIMEOUT s] [RECORDS | PROVES ...] COMMAND ...): n threads of one process are the workers;
# with SOCKETS, frames go over sockets, and every two workers are a node. The command must use support/main.cpp.
function(add_thread_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "RECORDS;LONG;SOCKETS" "THREADS;TIMEOUT" "COMMAND;PROVES")
  set_time_limit()
  set(arg_ENVIRONMENT RANKPOOL_TEST_THREADS=${arg_THREADS})
  if(arg_SOCKETS)
    list(APPEND arg_ENVIRONMENT RANKPOOL_TEST_SOCKETS=1)
  endif()
  add_recorded_test(${name} threads "")
  set(labels threads)
  if(arg_LONG)
    list(APPEND labels long)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${arg_TIMEOUT} PROCESSORS 2 ENVIRONMENT "${arg_ENVIRONMENT}")
endfunction()

# For the functions above: sets arg_TIMEOUT to 240 s if it is not set, and multiplies it by the slowdown of this build.
macro(set_time_limit)
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 240)
  endif()
  math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * ${slowdown}")
endmacro()

# For the functions above, which have parsed arg_COMMAND, arg_RECORDS and arg_PROVES: adds the test, and adds its record to the list
# of records. Extends arg_ENVIRONMENT.
macro(add_recorded_test name mode launcher)
  list(APPEND arg_ENVIRONMENT UCX_HANDLE_ERRORS=none)  # UCX, which Open MPI 5 loads, would print a stack at every crash
  list(GET arg_COMMAND 0 program)
  if(TARGET ${program})
    list(REMOVE_AT arg_COMMAND 0)
    list(PREPEND arg_COMMAND $<TARGET_FILE:${program}>)
    set(program $<TARGET_FILE:${program}>)
  endif()
  string(REPLACE / . file ${name})
  set(file ${records}/${mode}/${file}.txt)
  set(recorder)
  set(tags)
  if(arg_RECORDS)
    list(APPEND arg_ENVIRONMENT RANKPOOL_TEST_RECORD=${file})
  elseif(arg_PROVES)
    string(REPLACE ";" " " tags "${arg_PROVES}")
    set(recorder ${record} ${file} ${name})
  endif()
  if(arg_RECORDS OR arg_PROVES)
    file(MAKE_DIRECTORY ${records}/${mode})
    set_property(GLOBAL APPEND PROPERTY rankpool_records "${mode}\t${name}\t${file}\t${program}\t${tags}")
    set_property(GLOBAL APPEND PROPERTY rankpool_recorded_tests ${name})
  endif()
  add_test(NAME ${name} COMMAND ${recorder} ${launcher} ${arg_COMMAND})
endmacro()
