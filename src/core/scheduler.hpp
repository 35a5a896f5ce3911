// Which piece of which job goes to which worker, and when: a state machine without threads, messages or clock.
//
// Events come in as calls, with the time where it matters; what is to be done comes out as `effects`. The pool
// turns orders into frames and completes jobs. The rules:
//  - work is pulled: a worker is given more as it returns results, so a slow one gets less;
//  - a worker's queue is measured in time. Short tasks go out many at a time, long ones singly, so that what is
//    still here can be cancelled or go to whoever is free first;
//  - towards the end shares shrink (guided self-scheduling), and a worker that sits on pieces it has not started
//    while others are idle is asked to give them back;
//  - higher priority first, then the order of submission, across all executors. A job whose input is still being
//    read goes behind its equals each time that something of it is given out.
#pragma once

#include <rankpool/detail/job.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace rankpool::detail {

using executor_id = std::uint32_t;
using piece_id = std::uint64_t;

struct worker_index {
  int value = 0;
  friend bool operator==(worker_index, worker_index) = default;
};

/// Measured time and size of one kind of task; recent pieces count more.
class kind_statistics {
 public:
  void add(std::uint64_t items, double nanoseconds, std::size_t result_bytes);
  bool known() const { return items_ > 0; }
  double nanoseconds_per_item() const { return nanoseconds_per_item_; }
  double result_bytes_per_item() const { return bytes_per_item_; }

 private:
  double items_ = 0;
  double nanoseconds_ = 0;
  double bytes_ = 0;
  double nanoseconds_per_item_ = 0;
  double bytes_per_item_ = 0;
};

/// How much longer a worker takes than others do, over its last tasks: long ones weigh more than short ones, so that
/// tasks of one kind may differ as they like.
class worker_speed {
 public:
  void add(double expected_nanoseconds, double measured_nanoseconds);
  double slowness() const { return slowness_; }

 private:
  static constexpr double memory_nanoseconds = 20e6;
  double expected_ = memory_nanoseconds / 4;  // as others, until there is something to go by
  double measured_ = memory_nanoseconds / 4;
  double slowness_ = 1;
};

struct scheduling_policy {
  /// Work that is sent ahead to a worker, in measured time; at least one piece.
  std::chrono::nanoseconds window = std::chrono::milliseconds(6);
  /// Where workers share cores, each has one only for a turn now and then: what is ahead lasts as long as the others' turns.
  double workers_per_core = 1;
  /// A kind of task that takes longer is never sent ahead.
  std::chrono::nanoseconds longest_ahead = std::chrono::milliseconds(10);
  /// Longest piece that items are gathered into.
  std::chrono::nanoseconds longest_piece = std::chrono::milliseconds(10);
  /// Most pieces at one worker; 1: nothing is ever sent ahead. What is sent ahead can no longer be cancelled, so a
  /// worker begins with `first_pieces`, and has four times as many more as it has returned without a pause: what the throughput
  /// of the shortest tasks needs is reached soon, and a queue behind a task that hangs stays short.
  std::size_t most_pieces = 4096;
  std::size_t first_pieces = 64;
  /// Most payload at one worker before nothing is sent ahead, in bytes.
  std::size_t most_bytes = 4 << 20;
  /// A worker silent for so long while others are idle gives back what it has not started.
  std::chrono::nanoseconds recall_after = std::chrono::milliseconds(5);
};

struct effects {
  struct send_task {
    worker_index to;
    piece_id id = 0;
    executor_id executor = 0;
    task_function function = nullptr;
    std::span<const std::byte> payload;  ///< until the next event
    std::shared_ptr<block> bulk;         ///< what holds it, if it is large
    blocks_view beside;                  ///< until the next event
  };
  struct open_executor {
    worker_index to;
    executor_id executor = 0;
  };
  struct recall {
    worker_index to;
  };
  using close_executor = open_executor;
  struct completion {
    job_ptr work;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::exception_ptr error;  ///< why it did not run; null where the caller has the outcome
  };

  struct abandonment {
    job_ptr work;
    std::exception_ptr error;  ///< null: cancelled
  };

  std::vector<open_executor> open;  ///< before any send
  std::vector<send_task> send;
  std::vector<recall> recalls;
  std::vector<close_executor> close;  ///< its last task there is over
  std::vector<completion> completions;
  std::vector<abandonment> abandon;  ///< then on_change for each
  std::vector<executor_id> jobs_finished;  ///< one entry per job, after its completions

  bool empty() const {
    return open.empty() && send.empty() && recalls.empty() && close.empty() && completions.empty() && abandon.empty() &&
           jobs_finished.empty();
  }
};

class scheduler {
 public:
  using time = std::chrono::steady_clock::time_point;

  explicit scheduler(int workers, scheduling_policy policy = {});

  // ---- events
  void on_open(executor_id executor, int max_workers);
  void on_close(executor_id executor, effects& out);
  /// Whose it is and its priority are noted in the job.
  void on_submit(job_ptr work, effects& out);
  /// A job has more items, is sealed, or was cancelled.
  void on_change(job& work, effects& out);
  /// A worker has finished a piece; the job and items it was. Nothing if that piece is not there.
  std::optional<effects::completion> on_result(worker_index from, piece_id id, std::chrono::nanoseconds taken,
                                               std::size_t result_bytes, time now, effects& out);
  void on_recalled(worker_index from, const std::vector<piece_id>& ids, time now, effects& out);
  /// An executor has come to its end: what has not started is cancelled, or input that is still to come is refused.
  void on_shutdown(executor_id executor, bool cancel, effects& out);
  /// An executor cannot go on: everything of it that is queued, or is at workers where it never started, fails.
  void on_broken(executor_id executor, worker_index where, const std::exception_ptr& why, effects& out);
  /// Nothing more is begun: what has not, and what comes, fails with `why`; what runs is finished.
  void on_halt(const std::exception_ptr& why, effects& out);
  /// The end of the pool: everything fails.
  void on_end(const std::exception_ptr& why, effects& out);

  /// Gives out what can be given out.
  void dispatch(time now, effects& out);
  /// When dispatch should be called again although nothing has happened; none: never.
  std::optional<time> next_check(time now) const;
  /// For how long no worker is expected to run out of work; 0 if one may at any time.
  std::chrono::nanoseconds quiet_for(time now) const;

  /// Whether a worker has nothing.
  bool any_idle() const { return !idle_.empty(); }
  /// Whether any piece is at a worker.
  bool busy() const { return in_flight_ > 0; }
  /// Throws std::logic_error if the books do not balance; for tests.
  void sanity_check() const;

 private:
  struct flying_piece {
    piece_id id = 0;
    job_ptr work;
    piece part;
    double expected_nanoseconds = 0;  // by what its kind takes on average; 0: not known
    executor_id executor() const { return work->schedule.executor; }
    std::size_t bytes = 0;
  };

  struct worker_state {
    std::deque<flying_piece> pieces;  // in the order sent, which is the order run
    double expected_nanoseconds = 0;  // of all of them
    std::size_t bytes = 0;
    worker_speed speed;
    double nanoseconds() const { return expected_nanoseconds * speed.slowness(); }
    time heard;                 // last sign of progress
    std::size_t returned = 0;   // without a pause
    bool recalling = false;
    bool heard_from = false;    // is in heard_from_
    std::list<worker_index>::iterator place;  // in idle_ or busy_
  };

  using job_queue = std::map<int, std::deque<job_ptr>, std::greater<>>;

  struct executor_state {
    executor_id id = 0;
    int max_workers = 0;
    bool shut = false;
    bool cancelled = false;     // what still comes is not run
    std::exception_ptr broken;  // why it takes no more jobs
    job_queue queue;                    // by priority
    std::deque<flying_piece> returned;  // recalled; first to go out again
    std::vector<std::uint32_t> at;      // pieces at each worker
    std::vector<bool> opened;           // on each worker
    std::vector<worker_index> homes;    // the workers it is opened on
    int users = 0;                      // workers with pieces of it
    std::size_t stale = 0;              // queued jobs that turned out to have nothing to cut
    std::vector<job_ptr> growing;       // jobs whose input may still come
  };

  // Where a job stands: by priority, then by submission; less is earlier.
  using standing = std::pair<long, std::uint64_t>;
  static standing place_of(const job& j) { return {-static_cast<long>(j.schedule.priority), j.schedule.sequence}; }
  static constexpr standing nowhere{std::numeric_limits<long>::max(), 0};
  struct turn {
    executor_state* executor = nullptr;
    job* work = nullptr;
    bool returned = false;
    standing rival = nowhere;
  };

  void enqueue(executor_state& executor, job& work);
  void purge(executor_state& executor, effects& out);
  void fail_piece(executor_state& executor, const flying_piece& p, const std::exception_ptr& why, effects& out);
  void fail_queued(executor_state& executor, const std::exception_ptr& why, effects& out);
  void finish_if_over(executor_state& executor, job& work, effects& out);
  bool may_use(const executor_state& executor, worker_index w) const;
  bool has_room(const worker_state& worker, const job& work, time now) const;
  std::uint64_t share(const executor_state& executor, const worker_state& worker, job& work) const;
  turn next_turn(worker_index w, effects& out);
  bool cut(executor_state& executor, job& work, worker_index w, time now, effects& out);
  void fill(worker_index w, std::size_t most, time now, effects& out);
  void send(executor_state& executor, worker_index w, flying_piece p, time now, effects& out);
  std::deque<flying_piece>::iterator find(worker_state& worker, piece_id id);
  flying_piece land(worker_index w, std::deque<flying_piece>::iterator which);
  executor_state* find(executor_id id);
  worker_state& at(worker_index w) { return workers_[static_cast<std::size_t>(w.value)]; }
  void note_word_of(worker_index w, time now);
  bool anything_to_give(effects& out);
  void give_to_idle(time now, effects& out);
  void give_ahead(time now, effects& out);
  kind_statistics* statistics_of(const job& work);
  void recall_where_stuck(time now, effects& out);
  job* head(executor_state& executor, effects& out);

  scheduling_policy policy_;
  double ahead_nanoseconds_ = 0;  // that a worker is given in all
  std::vector<worker_state> workers_;
  std::vector<std::unique_ptr<executor_state>> executors_;
  std::map<std::pair<task_function, std::uintptr_t>, std::unique_ptr<kind_statistics>> kinds_;
  std::pair<std::pair<task_function, std::uintptr_t>, kind_statistics*> last_kind_;  // most jobs are like the one before
  std::exception_ptr halted_;  // why nothing is begun any more
  std::uint64_t sequence_ = 0;
  piece_id next_piece_ = 1;
  std::size_t in_flight_ = 0;
  // Workers without a piece, the last that had one first: it is the one that is still awake. And the others.
  std::list<worker_index> idle_;
  std::list<worker_index> busy_;
  // Which busy workers may have room for more: all that word came from; all of them where new work has come.
  std::vector<worker_index> heard_from_;
  bool look_at_all_ = false;
  std::size_t stacked_ = 0;  // workers with more than one piece
  time recalls_checked_{};
};

}  // namespace rankpool::detail
