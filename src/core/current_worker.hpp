// Which worker's task the calling thread is in: what this_worker tells, and within which throws are noted.
#pragma once

#include "throw_trace.hpp"

#include <rankpool/detail/job.hpp>

#include <utility>

namespace rankpool::detail {

inline thread_local const worker_place* current_worker = nullptr;

class in_task {
 public:
  explicit in_task(const worker_place& place) : before_(std::exchange(current_worker, &place)) { forget_throws(); }
  in_task(const in_task&) = delete;
  in_task& operator=(const in_task&) = delete;
  ~in_task() { current_worker = before_; }

 private:
  const worker_place* before_;
};

/// Where a task leads a pool of its own: what it does there is rank 0's work.
class out_of_task {
 public:
  out_of_task() : before_(std::exchange(current_worker, nullptr)) {}
  out_of_task(const out_of_task&) = delete;
  out_of_task& operator=(const out_of_task&) = delete;
  ~out_of_task() { current_worker = before_; }

 private:
  const worker_place* before_;
};

}  // namespace rankpool::detail
