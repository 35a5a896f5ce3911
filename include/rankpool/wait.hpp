// wait and as_completed: functions for several futures.
#pragma once

#include <rankpool/detail/client/future_group.hpp>
#include <rankpool/future.hpp>

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

namespace rankpool {

/// When wait() returns. A future is done when its task is finished, failed or cancelled.
enum class return_when {
  all_completed,    ///< when all futures are done
  first_completed,  ///< when at least one future is done
  first_exception,  ///< when at least one task has failed, or all futures are done; a cancelled task has not failed
};

/// The futures that were passed to wait(), without duplicates and in the order given.
template <class R>
struct wait_result {
  std::vector<future<R>> done;      ///< finished, failed or cancelled
  std::vector<future<R>> not_done;  ///< all others
};

namespace detail {

template <class R>
std::vector<future<R>> distinct(const auto& futures) {
  std::vector<future<R>> kept;
  std::vector<const void*> seen;
  for (const future<R>& f : futures) seen.push_back(future_access::state(f).get());
  const std::vector<std::size_t> firsts = first_of_each(seen);
  auto wanted = firsts.begin();
  std::size_t at = 0;
  for (const future<R>& f : futures) {
    if (wanted != firsts.end() && *wanted == at++) {
      kept.push_back(f);
      ++wanted;
    }
  }
  return kept;
}

template <class R>
std::vector<shared_job<future_state_base>> states_of(const std::vector<future<R>>& futures) {
  std::vector<shared_job<future_state_base>> states;
  states.reserve(futures.size());
  for (const auto& f : futures) states.push_back(future_access::state(f));
  return states;
}

template <class T>
struct future_value;
template <class R>
struct future_value<future<R>> {
  using type = R;
};
template <class Range>
using future_value_t = typename future_value<std::remove_cvref_t<std::ranges::range_reference_t<Range>>>::type;

}  // namespace detail

/// Waits for some or all of the futures, and returns which are done. If the timeout expires, the others are in `not_done`.
/// `futures` is a range of future<R>; duplicates count once. `timeout` is measured from the call; none: no limit; 0: returns at
/// once. Throws: rankpool::error if one of the futures is empty. Blocks: until `when` is fulfilled or the timeout expires. Thread
/// safety: any thread of rank 0. Complexity: O(n log n) for n futures.
template <std::ranges::input_range Range>
auto wait(const Range& futures, return_when when = return_when::all_completed,
          std::optional<std::chrono::nanoseconds> timeout = std::nullopt) {
  using R = detail::future_value_t<const Range&>;
  const auto deadline = detail::deadline_after(timeout);
  const auto distinct = detail::distinct<R>(futures);
  detail::future_group(detail::states_of(distinct)).wait(when, deadline);
  wait_result<R> result;
  for (const auto& f : distinct) (detail::future_access::state(f)->done() ? result.done : result.not_done).push_back(f);
  return result;
}

/// Does the same for a braced list of futures.
template <class R>
wait_result<R> wait(std::initializer_list<future<R>> futures, return_when when = return_when::all_completed,
                    std::optional<std::chrono::nanoseconds> timeout = std::nullopt) {
  return wait(std::vector<future<R>>(futures), when, timeout);
}

/// The futures that were passed to as_completed(), as an input range in order of completion. Only one pass is possible.
/// Thread safety: one thread at a time.
/// Lifetime: iterators refer to the range, and become invalid when it is moved or destroyed.
template <class R>
class completed_futures {
 public:
  /// Yields the futures one by one.
  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using value_type = future<R>;
    using difference_type = std::ptrdiff_t;
    using reference = future<R>&&;
    using pointer = void;

    /// Constructs an iterator at the end.
    iterator() = default;

    /// Returns the next future that is done. The caller may move from it.
    /// Throws: timeout_error, such as "2 (of 4) futures unfinished", if the timeout expires.
    /// Blocks: until a future is done or the timeout expires.
    /// Lifetime: the reference is valid until the iterator is incremented.
    reference operator*() const { return range_->current(); }

    /// Moves to the next future.
    /// Throws, Blocks: as operator*, if the current future was not read.
    iterator& operator++() {
      range_->advance();
      return *this;
    }

    /// Moves to the next future, as the prefix operator.
    void operator++(int) { ++*this; }

    /// Returns whether both iterators are at the end, or neither is.
    friend bool operator==(const iterator& a, const iterator& b) { return a.at_end() == b.at_end(); }

   private:
    friend class completed_futures;
    explicit iterator(completed_futures* range) : range_(range) {}
    bool at_end() const { return range_ == nullptr || range_->yielded_ == range_->total_; }
    completed_futures* range_ = nullptr;
  };

  /// Internal: as_completed() calls this with distinct futures.
  completed_futures(std::vector<future<R>> futures, detail::steady_time deadline)
      : total_(futures.size()), deadline_(deadline), group_(std::make_unique<detail::future_group>(detail::states_of(futures))) {}

  /// Returns an iterator at the first future that was not read yet. A second loop continues where the first one ended.
  iterator begin() {
    if (given_) advance();
    return iterator(this);
  }

  /// Returns the end of the range.
  iterator end() { return {}; }

 private:
  future<R>&& current() {
    if (!current_) {
      auto state = group_->next_done(deadline_);
      if (state == nullptr) detail::throw_unfinished(total_ - yielded_, total_);
      current_ = detail::future_access::make(boost::static_pointer_cast<detail::future_state<R>>(std::move(state)));
    }
    given_ = true;
    return std::move(*current_);
  }

  void advance() {
    (void)current();
    current_.reset();
    given_ = false;
    ++yielded_;
  }

  std::size_t total_;
  std::size_t yielded_ = 0;
  detail::steady_time deadline_;
  std::unique_ptr<detail::future_group> group_;
  std::optional<future<R>> current_;
  bool given_ = false;  // the caller has read the current future
};

/// Returns the futures in order of completion, as an input range. Futures that are done already come first.
/// `futures` is a range of future<R>; duplicates count once. `timeout` is measured from the call; none: no limit. If it expires,
/// reading the range throws timeout_error. Throws: rankpool::error if one of the futures is empty. Thread safety: any thread of
/// rank 0. Complexity: O(n log n) for n futures.
template <std::ranges::input_range Range>
auto as_completed(const Range& futures, std::optional<std::chrono::nanoseconds> timeout = std::nullopt) {
  using R = detail::future_value_t<const Range&>;
  return completed_futures<R>(detail::distinct<R>(futures), detail::deadline_after(timeout));
}

/// Does the same for a braced list of futures.
template <class R>
completed_futures<R> as_completed(std::initializer_list<future<R>> futures,
                                  std::optional<std::chrono::nanoseconds> timeout = std::nullopt) {
  return as_completed(std::vector<future<R>>(futures), timeout);
}

}  // namespace rankpool
