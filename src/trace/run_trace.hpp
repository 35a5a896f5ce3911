// The trace of a run, from the option to the exit status.
#pragma once

#include "trace/recorder.hpp"

#include <rankpool/cluster.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rankpool::detail {

/// Does nothing if the run has no trace.
class run_trace {
 public:
  /// `file`: run_options::trace.
  run_trace(const std::string& file, const recorder::leader& rank_0, const std::vector<recorder::place>& workers);

  /// Returns the observer of the pool; null if there is no trace.
  std::shared_ptr<dispatch_observer> observer() const { return recorder_; }
  /// Returns a function that calls `lead`, drains the pool unless `lead` throws, and completes the file. It throws
  /// rankpool::error instead if the file could not be created. Lifetime: the object must outlive the function.
  std::function<int(cluster&)> around(std::function<int(cluster&)> lead);
  /// Completes the file of a run that ends with `status`. Returns this status, or 1 instead of 0 if the trace is incomplete, which
  /// it logs. Later calls return `status`. Thread safety: any thread. Blocks: until the file is written.
  int finish(int status);

 private:
  int finish(int status, const std::string& ending);

  const std::string file_;
  std::exception_ptr failure_;  // why there is no recorder
  const std::shared_ptr<recorder> recorder_;
};

}  // namespace rankpool::detail
