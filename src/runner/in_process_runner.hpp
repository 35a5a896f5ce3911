// A task_runner that calls tasks in this process, on the calling thread.
#pragma once

#include "runner/task_runner.hpp"

#include <rankpool/detail/wire/worker_place.hpp>

#include <span>

namespace rankpool::detail {

class in_process_runner final : public task_runner {
 public:
  /// `place`: what this_worker returns in a task. Lifetime: it must outlive the object.
  explicit in_process_runner(const worker_place& place) : place_(place) {}

  void run(std::span<const call> calls, const answer_handler& on_answer) override;
  /// Makes one call, and returns its answer.
  answer run(const call& what);

 private:
  const worker_place& place_;
};

}  // namespace rankpool::detail
