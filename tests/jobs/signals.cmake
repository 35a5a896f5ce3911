# Signals at some moments of a run, to its process, its group, and both. By hand, signals.py sends all signals at all moments.
foreach(job IN ITEMS plain journal sort sort-journal exec)
  add_rank_test(jobs/signals/${job} LONG TIMEOUT 600
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/signals.py ${command} --jobs ${job} --moments 3 --signals TERM --within 30)
endforeach()
