# How tests are run: under mpirun, self-launched, inline in one process, or on threads of one; and what they leave for the
# table of conformance.
#
# Tests on ranks run one at a time, so that timing means something on two cores. A sanitize build has none of them:
# MPI itself is not clean there, and inline runs the same code.

find_program(RANKPOOL_TEST_MPIRUN NAMES mpirun mpiexec HINTS ${MPIEXEC_EXECUTABLE} REQUIRED)
find_program(RANKPOOL_TEST_BASH bash REQUIRED)
find_program(RANKPOOL_TEST_PYTHON python3 REQUIRED)

# mpirun refuses root and more ranks than cores unless it is told otherwise.
set(rank_environment
  OMPI_ALLOW_RUN_AS_ROOT=1
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  OMPI_MCA_rmaps_base_oversubscribe=1
)
# The factor by which a sanitizer slows tests down. Time limits are multiplied by it, and the sizes of large tests are divided
# by it (sizes.hpp), so that a test stays within its limit on a busy machine as well.
set(slowdown 1)
if(RANKPOOL_SANITIZE)
  set(slowdown 5)
endif()

# compares what a program prints and returns with what it should: see the file.
set(expect ${RANKPOOL_TEST_BASH} ${CMAKE_CURRENT_LIST_DIR}/expect.sh)
set(record ${RANKPOOL_TEST_BASH} ${CMAKE_CURRENT_LIST_DIR}/record.sh)
set(records ${CMAKE_CURRENT_BINARY_DIR}/records)

# The command line that runs a program on `ranks` ranks of this machine.
function(on_ranks result ranks)
  set(${result} ${RANKPOOL_TEST_MPIRUN} -n ${ranks} --oversubscribe --bind-to none PARENT_SCOPE)
endfunction()

# All kinds of test may prove behaviours of conformance/behaviours.txt: RECORDS is for programs of test cases, which write
# what each case has shown; PROVES tag... for all others. conformance/table.sh reads what they leave.

# add_rank_test(NAME [RANKS n] [TIMEOUT s] [ENVIRONMENT ...] [RECORDS | PROVES ...] COMMAND ...): with RANKS, the command
# runs under mpirun; without, it sees to its ranks itself.
function(add_rank_test name)
  if(RANKPOOL_SANITIZE)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "RECORDS" "RANKS;TIMEOUT" "COMMAND;ENVIRONMENT;PROVES")
  set_time_limit()
  set(launcher)
  if(arg_RANKS)
    on_ranks(launcher ${arg_RANKS})
  endif()
  set(mode ranks)
  if(arg_RANKS EQUAL 1)  # which rankpool::run makes so
    set(mode inline)
  endif()
  add_recorded_test(${name} ${mode} "${launcher}")
  set_tests_properties(${name} PROPERTIES
    LABELS ranks TIMEOUT ${arg_TIMEOUT} RUN_SERIAL TRUE ENVIRONMENT "${rank_environment};${arg_ENVIRONMENT}")
endfunction()

# add_inline_test(NAME [TIMEOUT s] [RECORDS | PROVES ...] COMMAND ...): everything in one process.
function(add_inline_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "RECORDS" "TIMEOUT" "COMMAND;PROVES")
  set_time_limit()
  set(arg_ENVIRONMENT RANKPOOL_WORKERS=0)
  add_recorded_test(${name} inline "")
  set_tests_properties(${name} PROPERTIES LABELS inline TIMEOUT ${arg_TIMEOUT} ENVIRONMENT "${arg_ENVIRONMENT}")
endfunction()

# add_thread_test(NAME THREADS n [TIMEOUT s] [RECORDS | PROVES ...] COMMAND ...): n workers that are threads of one process, by
# support/main.cpp.
function(add_thread_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "RECORDS" "THREADS;TIMEOUT" "COMMAND;PROVES")
  set_time_limit()
  set(arg_ENVIRONMENT RANKPOOL_TEST_THREADS=${arg_THREADS})
  add_recorded_test(${name} threads "")
  set_tests_properties(${name} PROPERTIES
    LABELS threads TIMEOUT ${arg_TIMEOUT} RUN_SERIAL TRUE ENVIRONMENT "${arg_ENVIRONMENT}")
endfunction()

# For those above: sets arg_TIMEOUT to 120 s where it is not given, and scales it to this build.
macro(set_time_limit)
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * ${slowdown}")
endmacro()

# For those above: adds the test, with arg_COMMAND, arg_RECORDS and arg_PROVES as they parsed them, and enters the record
# that it leaves into the list. Sets arg_ENVIRONMENT.
macro(add_recorded_test name mode launcher)
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
