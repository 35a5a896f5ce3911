// The futures of one wait() or as_completed(): which of them are done, in which order, and a wait until some are.
#pragma once

#include <rankpool/detail/client/future_state.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace rankpool {
enum class return_when;
}

namespace rankpool::detail {

/// The distinct futures of one wait, and which of them are done. The group observes the futures during its lifetime.
class future_group final : public completion_watch {
 public:
  explicit future_group(std::vector<shared_job<future_state_base>> states);
  future_group(const future_group&) = delete;
  future_group& operator=(const future_group&) = delete;
  ~future_group() override;

  void on_done(future_state_base& state) override;

  /// Waits until `when` is fulfilled.
  /// Blocks: until the deadline at the latest. The deadline is no error.
  void wait(return_when when, steady_time deadline);
  /// Waits for a future that is done and was not returned yet, and returns it; null at the deadline.
  shared_job<future_state_base> next_done(steady_time deadline);
  std::size_t size() const { return states_.size(); }

 private:
  void wait_until(steady_time deadline, const std::function<bool()>& ready);

  std::vector<shared_job<future_state_base>> states_;                    // null once returned
  std::vector<std::shared_ptr<wait_room>> rooms_;                        // of their pools; usually one
  std::vector<std::pair<const future_state_base*, std::size_t>> order_;  // index in states_, by address
  std::mutex mutex_;
  std::vector<shared_job<future_state_base>> over_;  // in order of completion; the first given_ are null
  std::size_t given_ = 0;                            // number of elements of over_ that were returned
  std::size_t finished_ = 0;
  bool any_failed_ = false;
};

/// Returns the index of the first pointer of each group of equal pointers, in ascending order.
std::vector<std::size_t> first_of_each(const std::vector<const void*>& all);

/// Throws timeout_error.
[[noreturn]] void throw_unfinished(std::size_t unfinished, std::size_t total);

}  // namespace rankpool::detail
