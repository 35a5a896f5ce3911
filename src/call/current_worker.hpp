// The worker whose task the calling thread runs. this_worker returns its rank and host. Throws are recorded while a task runs.
#pragma once

#include "codec/throw_trace.hpp"

#include <rankpool/detail/wire/worker_place.hpp>

#include <utility>

namespace rankpool::detail {

inline thread_local const worker_place* current_worker = nullptr;

/// Marks the calling thread as running a task of a worker while the object lives.
class in_task {
 public:
  explicit in_task(const worker_place& place) : before_(std::exchange(current_worker, &place)), throws_(true) { forget_throws(); }
  in_task(const in_task&) = delete;
  in_task& operator=(const in_task&) = delete;
  ~in_task() { current_worker = before_; }

 private:
  const worker_place* before_;
  throw_recording throws_;
};

/// Marks the calling thread as running no task while the object lives, because a task runs a pool of its own as rank 0.
class out_of_task {
 public:
  out_of_task() : before_(std::exchange(current_worker, nullptr)), throws_(false) {}
  out_of_task(const out_of_task&) = delete;
  out_of_task& operator=(const out_of_task&) = delete;
  ~out_of_task() { current_worker = before_; }

 private:
  const worker_place* before_;
  throw_recording throws_;
};

}  // namespace rankpool::detail
