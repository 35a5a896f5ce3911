// A task_runner that calls tasks in this process, on the calling thread.
#pragma once

#include "worker/task_runner.hpp"

#include <rankpool/detail/wire/worker_place.hpp>

namespace rankpool::detail {

class in_process_runner final : public task_runner {
 public:
  /// `place`: what this_worker returns in a task. Lifetime: it must outlive the object.
  explicit in_process_runner(const worker_place& place) : place_(place) {}

  answer run(const call& what) override;

 private:
  const worker_place& place_;
};

}  // namespace rankpool::detail
