// The data of the scheduler: where each chunk is, which jobs are queued, and what was measured. It keeps the counts consistent.
#pragma once

#include "scheduler/chunk_state.hpp"
#include "scheduler/effects.hpp"
#include "scheduler/task_statistics.hpp"

#include <rankpool/detail/scheduler/job.hpp>
#include <rankpool/detail/support/steady_time.hpp>

#include <boost/container/deque.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace rankpool::detail {

/// A chunk with its state. Only become() changes the state.
struct tracked_chunk {
  chunk_id id = 0;  // of the current attempt
  job_ptr work = {};
  chunk part;
  double expected_nanoseconds = 0;  // by the average of its kind; 0: not known
  std::size_t bytes = 0;
  std::uint16_t attempts = 0;  // how often it was sent
  std::uint16_t losses = 0;    // workers that were lost while they ran it, or may have
  bool pinned = false;         // runs on one particular worker
  bool alone = false;          // goes to an idle worker, which gets nothing else: if that one is lost, it was this chunk
  chunk_state state = chunk_state::queued;

  executor_id executor() const { return work->schedule.executor; }
  /// Throws std::logic_error if the table refuses the transition.
  void become(chunk_state to) {
    if (!may_become(state, to)) refuse(to);
    state = to;
  }

 private:
  [[noreturn]] void refuse(chunk_state to) const;
};

/// Allocates memory for many chunks at a time; std::deque would do so for every fourth, and a null task takes a chunk.
using chunk_queue =
    boost::container::deque<tracked_chunk, void, boost::container::deque_options_t<boost::container::block_bytes<8192>>>;

struct worker_state {
  chunk_queue chunks;               // in the order sent, which is the order in which they run
  double expected_nanoseconds = 0;  // of all of them
  std::size_t bytes = 0;            // of all of them
  worker_speed speed;
  double nanoseconds() const { return expected_nanoseconds * speed.slowness(); }
  steady_time last_progress;  // a result, or the first chunk after none
  std::size_t results = 0;    // without a pause
  bool is_recalling = false;
  bool is_reserved = false;                 // its last chunk is `alone`
  bool is_lost = false;                     // is in neither list
  bool has_reported = false;                // is in scheduler_state::reported
  std::deque<tracked_chunk> pinned;         // wait until this worker is idle; a job that is not cut yet has no items here
  std::list<worker_index>::iterator place;  // in idle or busy
};

struct executor_entry {
  executor_id id = 0;
  int max_workers = 0;
  std::uint32_t crash_limit = 0;  // a chunk that has lost so many workers fails
  bool is_shut_down = false;
  bool is_cancelled = false;                                 // what is queued, and what still comes, does not run
  std::exception_ptr broken;                                 // why it accepts no more jobs
  std::map<int, std::deque<job_ptr>, std::greater<>> queue;  // by priority
  std::deque<tracked_chunk> requeued;                        // returned by workers, then `alone` ones; sent before the queue
  std::vector<std::uint32_t> chunks_at;                      // for each worker
  std::vector<bool> is_open_on;                              // for each worker
  std::vector<worker_index> opened_on;                       // the same as a list
  std::vector<bool> restricted_to;                           // for each worker; empty: all
  int users = 0;                                             // workers that have chunks of it
  std::size_t stale = 0;                                     // queued jobs without items, because they were cancelled
  std::vector<job_ptr> growing;                              // jobs whose input may still come
  std::map<job_ptr, std::size_t> retrying;                   // parts of jobs that wait for their next attempt
};

class scheduler_state {
 public:
  explicit scheduler_state(int workers);

  worker_state& at(worker_index w) { return workers[static_cast<std::size_t>(w.value)]; }
  const worker_state& at(worker_index w) const { return workers[static_cast<std::size_t>(w.value)]; }
  /// Null for an executor that is not open.
  executor_entry* find(executor_id id);

  // ---- jobs
  /// Enters a job that was submitted.
  void enter(job& work);
  /// Moves a job behind all others of its priority.
  void move_back(job& work) { work.schedule.sequence = ++sequence_; }
  void enqueue(executor_entry& executor, job_ptr work);
  /// A job is finished once nothing of it is queued, running or still to come.
  void finish_if_over(executor_entry& executor, job& work, effects& out);

  // ---- chunks
  /// At the end of the worker's queue; a new attempt. `expected_nanoseconds` and `bytes` are set.
  tracked_chunk& put(executor_entry& executor, worker_index w, tracked_chunk&& c);
  /// Iterators are valid until the worker's next put() or take().
  chunk_queue::iterator find(worker_state& worker, chunk_id id);
  tracked_chunk take(worker_index w, chunk_queue::iterator which);
  /// The same without the chunk. `executor`: the chunk's executor, or null if that is closed. The chunk's work may have been moved
  /// out.
  void remove(worker_index w, chunk_queue::iterator which, executor_entry* executor);
  /// A chunk that was queued again is to be sent, or to fail. False, and the chunk is dropped, if it was cancelled.
  bool resume(executor_entry& executor, tracked_chunk& c, effects& out);
  /// The worker is asked for the chunks that it has not started.
  void begin_recall(worker_index w);
  /// The worker is lost. Returns its chunks and its pinned chunks.
  std::vector<tracked_chunk> lose(worker_index w);
  /// Returns the number of workers that are not lost.
  std::size_t usable() const { return idle.size() + busy.size(); }
  /// The worker has made progress: it may have room for more.
  void report(worker_index w, steady_time now);

  // ---- pinned chunks
  void pin(worker_index w, tracked_chunk c, bool is_first);
  /// Removes the pinned chunks for which `condition` holds, from all workers.
  void remove_pinned(const std::function<bool(tracked_chunk&)>& condition);

  /// Throws std::logic_error if the counts are not consistent; for tests.
  void check() const;

  std::vector<worker_state> workers;
  std::vector<std::unique_ptr<executor_entry>> executors;
  std::list<worker_index> idle;        // without a chunk; first the one that had one last, because it may still be awake
  std::list<worker_index> busy;        // the others
  std::size_t in_flight = 0;           // chunks at workers
  std::size_t prefetching = 0;         // workers with more than one chunk
  std::vector<worker_index> awaited;   // workers that have pinned chunks
  std::vector<worker_index> reported;  // workers that have made progress since the last dispatch
  bool has_new_work = false;           // any worker may have room for it, not only those that have reported
  std::exception_ptr stopped;          // why no task is started any more

 private:
  using task_kind = std::pair<code_address, std::uintptr_t>;

  task_statistics* statistics_of(const job& work);

  std::map<task_kind, std::unique_ptr<task_statistics>> kinds_;
  std::pair<task_kind, task_statistics*> last_kind_;  // most jobs are of the same kind as the one before
  std::uint64_t sequence_ = 0;
  chunk_id last_chunk_ = 0;
};

}  // namespace rankpool::detail
