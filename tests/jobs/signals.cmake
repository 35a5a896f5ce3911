# Sends SIGTERM at some moments of a run: to its process, to its process group, and to both. To send all signals at all moments, run
# signals.py by hand.
foreach(job IN ITEMS plain journal sort sort-journal exec)
  add_rank_test(jobs/signals/${job} LONG TIMEOUT 600
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/signals.py ${command} --jobs ${job} --moments 3 --signals TERM --within 30)
endforeach()
