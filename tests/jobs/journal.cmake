# Tests of `rankpool journal` on a journal that another program wrote; journal.sh has the cases.
add_executable(journal_writer ${CMAKE_CURRENT_LIST_DIR}/journal/writer.cpp)
target_link_libraries(journal_writer PRIVATE rankpool::rankpool)
set(test_journal ${RANKPOOL_TEST_BASH} ${CMAKE_CURRENT_LIST_DIR}/journal.sh ${command} $<TARGET_FILE:journal_writer>)

foreach(case summary json most export-json export-csv open read-only without-tables damaged refused usage under-a-launcher)
  add_inline_test(jobs/journal/${case} COMMAND ${test_journal} ${case})
endforeach()
set_tests_properties(jobs/journal/json jobs/journal/export-json jobs/journal/export-csv PROPERTIES SKIP_RETURN_CODE 77)
