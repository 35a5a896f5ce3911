# matmul and matadd on files: what is refused, what is left behind, and what numpy makes of it.
set(matrices ${RANKPOOL_TEST_BASH} ${CMAKE_CURRENT_LIST_DIR}/matrices.sh ${command})
foreach(behaviour files-are-multiplied-and-added text-is-printed bad-input-is-refused existing-output-is-kept json-is-one-object
        folder-for-input-is-refused full-disk-leaves-nothing pipe-for-numbers-is-refused numpy-reads-and-writes)
  add_inline_test(jobs/matrices/${behaviour} COMMAND ${matrices} ${behaviour})
  set_tests_properties(jobs/matrices/${behaviour} PROPERTIES SKIP_RETURN_CODE 77)
endforeach()
add_rank_test(jobs/matrices/ranks-make-the-same-files ENVIRONMENT RANKPOOL_WORKERS=2 COMMAND ${matrices} files-are-multiplied-and-added)
add_rank_test(jobs/matrices/killed-run-leaves-nothing ENVIRONMENT RANKPOOL_WORKERS=2 COMMAND ${matrices} killed-run-leaves-nothing)

if(NOT RANKPOOL_SANITIZE)
  add_inline_test(jobs/matrices/late-full-disk-leaves-nothing COMMAND ${matrices} late-full-disk-leaves-nothing $<TARGET_FILE:failing_files>)
  set_tests_properties(jobs/matrices/late-full-disk-leaves-nothing PROPERTIES SKIP_RETURN_CODE 77)
  add_inline_test(jobs/matrices/verifying-takes-little-memory COMMAND ${matrices} verifying-takes-little-memory)
  add_inline_test(jobs/matrices/late-error-of-writing-is-told COMMAND ${matrices} late-error-of-writing-is-told $<TARGET_FILE:failing_files>)
endif()

add_usage_error(matmul-one-file "two matrices are needed" matmul a.npy)
add_usage_error(matmul-files-and-size "--size" matmul a.npy b.npy --size 3)
add_usage_error(matmul-type-without-size "--type" matmul --type float32)
add_usage_error(matmul-unknown-type "--type" matmul --size 3 --type complex)
add_usage_error(matmul-verify-without-file "--output FILE.npy" matmul --size 3 --verify)
add_usage_error(matadd-npy-without-input "two such files" matadd --output c.npy)
