// Verifies printed results in separate tasks. The other tasks of a run are therefore the same with and without --verify, and so
// are their results in its journal.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>

#include "engine/job_run.hpp"
#include "support/result_queue.hpp"

namespace jobs {

/// Submits checks and passes their results to `take` in the order of submission. `take` and a check may throw. Without --verify,
/// this class does nothing.
template <class Result>
class check_queue {
 public:
  /// `argument_bytes`: the size of the arguments of a check, which rank 0 holds.
  check_queue(job_run& run, std::function<void(const Result&)> take, std::size_t argument_bytes = 0)
      : run_(run),
        outstanding_(static_cast<std::size_t>(run.tasks_in_flight(argument_bytes)),
                     [take = std::move(take)](auto&& check, const auto&) { take(check.result()); }) {}

  /// Submits a check; after --max-failures, does nothing. Blocks: while more checks are outstanding than job_run::tasks_in_flight()
  /// allows. Throws: what a check or `take` throws.
  template <class Check, class... Arguments>
  void add(Check check, const Arguments&... arguments) {
    if (run_.verifies() && !run_.failures().is_reached()) outstanding_.add(run_.pool().submit(check, arguments...));
  }

  /// Takes all remaining results; after --max-failures, which has cancelled checks, does nothing. Blocks: until all checks are
  /// done. Throws: what a check or `take` throws.
  void finish() {
    if (!run_.failures().is_reached()) outstanding_.finish();
  }

 private:
  job_run& run_;
  result_queue<Result> outstanding_;
};

}  // namespace jobs
