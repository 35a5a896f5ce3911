# The job `image` on real pictures: image.sh has the cases. Where ImageMagick is there, against it.
set(image_case ${RANKPOOL_TEST_BASH} ${CMAKE_CURRENT_LIST_DIR}/image.sh)
foreach(case known-answers folder huge imagemagick usage full-disk streams devices in-place)
  add_inline_test(jobs/image/${case} TIMEOUT 60 COMMAND ${image_case} ${case} ${command})
  set_tests_properties(jobs/image/${case} PROPERTIES SKIP_RETURN_CODE 77)
endforeach()
foreach(case folder any-workers worker-terminated launcher-killed streams devices)
  add_rank_test(jobs/image/${case}/ranks TIMEOUT 100 ENVIRONMENT RANKPOOL_WORKERS=2 COMMAND ${image_case} ${case} ${command})
  if(TEST jobs/image/${case}/ranks)
    set_tests_properties(jobs/image/${case}/ranks PROPERTIES SKIP_RETURN_CODE 77)
  endif()
endforeach()

# With --journal: image_journal.py has the cases.
set(image_journal ${CMAKE_CURRENT_LIST_DIR}/image_journal.py)
foreach(case failed-picture failed-output lost-results foreign-results foreign-split-result other-workers other-inputs
        linked-output fifo many-lost-results journal-among-inputs
        stopped-split-pnm stopped-split-png same-process-id killed)
  add_rank_test(jobs/image/journal/${case} TIMEOUT 240 ENVIRONMENT RANKPOOL_WORKERS=2 COMMAND ${image_journal} ${case} ${command})
  if(TEST jobs/image/journal/${case})
    set_tests_properties(jobs/image/journal/${case} PROPERTIES SKIP_RETURN_CODE 77)
  endif()
endforeach()
foreach(case failed-picture lost-results foreign-results foreign-split-result linked-output fifo journal-among-inputs)
  add_inline_test(jobs/image/journal/${case}/inline TIMEOUT 60 ENVIRONMENT RANKPOOL_WORKERS=0
    COMMAND ${image_journal} ${case} ${command})
endforeach()
