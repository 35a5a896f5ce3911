# Signals at some moments of a run, to its process, its group, and both: signals.py, which by hand takes all moments and signals.
foreach(job IN ITEMS plain journal sort sort-journal exec)
  add_rank_test(jobs/signals/${job} TIMEOUT 600
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/signals.py ${command} --jobs ${job} --moments 3 --signals TERM --within 30)
endforeach()
