// What the pool is given to do: a job is cut into pieces, each of which runs on one worker.
//
// A submitted task is a job of one piece; a map is cut as workers become free, so that pieces fit the measured
// time per item. The pool calls these functions from one thread at a time, whichever drives it; a job that the
// user's threads touch as well guards itself.
#pragma once

#include <rankpool/detail/bytes.hpp>
#include <rankpool/detail/invocation.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>

namespace rankpool::detail {

/// Consecutive items of a job as they go to a worker.
struct piece {
  std::uint64_t first = 0;
  std::uint64_t count = 0;  ///< 0: there was nothing to cut after all
  byte_buffer payload;
};

/// Which worker did something.
struct worker_place {
  int rank = -1;
  std::string host;
};

/// What became of a piece.
struct outcome {
  enum class kind : std::uint8_t { value, threw, not_run };
  kind what = kind::not_run;
  byte_buffer bytes;                          ///< value: the result; threw: the encoded exception
  std::exception_ptr error;                   ///< not_run: why
  std::shared_ptr<const worker_place> where;  ///< value, threw: the worker
};

class kind_statistics;

class job : public std::enable_shared_from_this<job> {
 public:
  /// `kind` tells tasks apart that share a function; 0 items per piece: as many as measured time suggests.
  job(task_function run, std::uintptr_t kind, std::uint64_t items_per_piece = 1)
      : function(run), identity(kind), chunksize(items_per_piece) {}
  job(const job&) = delete;
  job& operator=(const job&) = delete;
  virtual ~job() = default;

  /// Items that can be cut now.
  virtual std::uint64_t available() = 0;
  /// Whether available() may rise again.
  virtual bool may_grow() = 0;
  /// Cuts up to `items` from the front; they are running from now on.
  virtual piece cut(std::uint64_t items) = 0;
  /// A cut piece is over.
  virtual void on_outcome(std::uint64_t first, std::uint64_t count, outcome result) = 0;
  /// What has not been cut never will be: it fails with `why`.
  virtual void abandon(const std::exception_ptr& why) = 0;
  /// No further input will come; what is there still runs.
  virtual void seal() {}

  const task_function function;
  const std::uintptr_t identity;
  const std::uint64_t chunksize;

  /// The scheduler's own notes on this job.
  struct {
    int priority = 0;
    std::uint64_t sequence = 0;
    std::uint64_t running = 0;  ///< pieces at workers
    bool queued = false;
    bool finished = false;
    kind_statistics* statistics = nullptr;
  } schedule;
};

}  // namespace rankpool::detail
