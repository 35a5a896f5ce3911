// Submits a limited number of tasks ahead and takes their results in the order of submission.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <rankpool/rankpool.hpp>
#include <utility>
#include <variant>

namespace jobs {

/// `Note`: data of the caller about a task, passed on with its result.
template <class Result, class Note = std::monostate>
class result_queue {
 public:
  /// Receives the futures in the order of submission; the task may still be running. It may throw.
  using take_function = std::function<void(rankpool::future<Result>&&, const Note&)>;

  result_queue(std::size_t limit, take_function take) : limit_(limit), take_(std::move(take)) {}
  /// Cancels the tasks whose results were not taken.
  ~result_queue() {
    for (auto& [submitted, note] : outstanding_) submitted.cancel();
  }
  result_queue(const result_queue&) = delete;
  result_queue& operator=(const result_queue&) = delete;

  /// Adds a task and takes the oldest finished ones. Blocks: while more than `limit` are outstanding. Throws: what `take` throws.
  void add(rankpool::future<Result> submitted, Note note = {}) {
    outstanding_.emplace_back(std::move(submitted), std::move(note));
    while (!outstanding_.empty() && (outstanding_.size() > limit_ || outstanding_.front().first.done())) take_oldest();
  }

  /// Takes all remaining results. Blocks: until all tasks are done. Throws: what `take` throws.
  void finish() {
    while (!outstanding_.empty()) take_oldest();
  }

 private:
  void take_oldest() {
    auto [submitted, note] = std::move(outstanding_.front());
    outstanding_.pop_front();
    take_(std::move(submitted), note);
  }

  std::size_t limit_;
  take_function take_;
  std::deque<std::pair<rankpool::future<Result>, Note>> outstanding_;
};

}  // namespace jobs
