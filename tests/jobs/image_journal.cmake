# Tests of the job `image` with --journal; image_journal.py has the cases.
set(image_journal ${CMAKE_CURRENT_LIST_DIR}/image_journal.py)
set(also_inline failed-picture lost-results foreign-results foreign-split-result linked-output fifo journal-among-inputs)
foreach(case ${also_inline} failed-output other-workers other-inputs many-lost-results
        stopped-split-pnm stopped-split-png same-process-id killed)
  set(long)
  if(case IN_LIST also_inline)
    set(long LONG)
  endif()
  add_rank_test(jobs/image/journal/${case} ${long} TIMEOUT 240 ENVIRONMENT RANKPOOL_WORKERS=2 COMMAND ${image_journal} ${case} ${command})
  if(TEST jobs/image/journal/${case})
    set_tests_properties(jobs/image/journal/${case} PROPERTIES SKIP_RETURN_CODE 77)
  endif()
endforeach()
foreach(case ${also_inline})
  add_inline_test(jobs/image/journal/${case}/inline TIMEOUT 60 ENVIRONMENT RANKPOOL_WORKERS=0
    COMMAND ${image_journal} ${case} ${command})
endforeach()
