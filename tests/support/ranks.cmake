# How tests are run: under mpirun, self-launched, inline in one process, or on threads of one.
#
# Tests on ranks run one at a time, so that timing means something on two cores. A sanitize build has none of them:
# MPI itself is not clean there, and inline runs the same code.

find_program(RANKPOOL_TEST_MPIRUN NAMES mpirun mpiexec HINTS ${MPIEXEC_EXECUTABLE} REQUIRED)
find_program(RANKPOOL_TEST_BASH bash REQUIRED)

# mpirun refuses root and more ranks than cores unless it is told otherwise.
set(rank_environment
  OMPI_ALLOW_RUN_AS_ROOT=1
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  OMPI_MCA_rmaps_base_oversubscribe=1
)
# compares what a program prints and returns with what it should: see the file.
set(expect ${RANKPOOL_TEST_BASH} ${CMAKE_CURRENT_LIST_DIR}/expect.sh)

# The command line that runs a program on `ranks` ranks of this machine.
function(on_ranks result ranks)
  set(${result} ${RANKPOOL_TEST_MPIRUN} -n ${ranks} --oversubscribe --bind-to none PARENT_SCOPE)
endfunction()

# add_rank_test(NAME [RANKS n] [TIMEOUT s] [ENVIRONMENT ...] COMMAND ...): with RANKS, the command runs under mpirun;
# without, it sees to its ranks itself.
function(add_rank_test name)
  if(RANKPOOL_SANITIZE)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "RANKS;TIMEOUT" "COMMAND;ENVIRONMENT")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(arg_RANKS)
    on_ranks(launcher ${arg_RANKS})
    list(GET arg_COMMAND 0 program)
    if(TARGET ${program})
      list(REMOVE_AT arg_COMMAND 0)
      list(PREPEND arg_COMMAND $<TARGET_FILE:${program}>)
    endif()
    list(PREPEND arg_COMMAND ${launcher})
  endif()
  add_test(NAME ${name} COMMAND ${arg_COMMAND})
  set_tests_properties(${name} PROPERTIES
    LABELS ranks TIMEOUT ${arg_TIMEOUT} RUN_SERIAL TRUE ENVIRONMENT "${rank_environment};${arg_ENVIRONMENT}")
endfunction()

# add_inline_test(NAME [TIMEOUT s] COMMAND ...): everything in one process.
function(add_inline_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "COMMAND")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_test(NAME ${name} COMMAND ${arg_COMMAND})
  set_tests_properties(${name} PROPERTIES LABELS inline TIMEOUT ${arg_TIMEOUT} ENVIRONMENT RANKPOOL_WORKERS=0)
endfunction()

# add_thread_test(NAME THREADS n [TIMEOUT s] COMMAND ...): n workers that are threads of one process, by support/main.cpp.
function(add_thread_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "THREADS;TIMEOUT" "COMMAND")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_test(NAME ${name} COMMAND ${arg_COMMAND})
  set_tests_properties(${name} PROPERTIES
    LABELS threads TIMEOUT ${arg_TIMEOUT} RUN_SERIAL TRUE ENVIRONMENT RANKPOOL_TEST_THREADS=${arg_THREADS})
endfunction()
