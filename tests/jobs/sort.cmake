# Files of numbers sorted, in one process and over ranks; sort.sh has the cases.
set(sort_files ${RANKPOOL_TEST_BASH} ${CMAKE_CURRENT_LIST_DIR}/sort.sh ${command})

foreach(case agrees-with-coreutils more-than-memory npy empty bad-input existing-output json full-disk)
  add_inline_test(jobs/sort/${case}/inline COMMAND ${sort_files} ${case})
endforeach()
set_tests_properties(jobs/sort/full-disk/inline PROPERTIES SKIP_RETURN_CODE 77)
foreach(case agrees-with-coreutils more-than-memory empty terminated killed launcher-gone)
  add_rank_test(jobs/sort/${case}/self-launched ENVIRONMENT RANKPOOL_WORKERS=2 COMMAND ${sort_files} ${case})
endforeach()
if(NOT RANKPOOL_SANITIZE)
  add_inline_test(jobs/sort/late-full-disk/inline COMMAND ${sort_files} late-full-disk $<TARGET_FILE:failing_files>)
  add_rank_test(jobs/sort/late-full-disk/self-launched ENVIRONMENT RANKPOOL_WORKERS=2
    COMMAND ${sort_files} late-full-disk $<TARGET_FILE:failing_files>)
  set_tests_properties(jobs/sort/late-full-disk/inline jobs/sort/late-full-disk/self-launched PROPERTIES SKIP_RETURN_CODE 77)
  add_inline_test(jobs/sort/late-error COMMAND ${sort_files} late-error $<TARGET_FILE:failing_files>)
endif()
