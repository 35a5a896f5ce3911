// wait and as_completed: for several futures at once.
#pragma once

#include <rankpool/future.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

namespace rankpool {

enum class return_when {
  all_completed,
  first_completed,  ///< as soon as one is over, at once if one is
  first_exception,  ///< as soon as one has failed, at once if one has; else as all_completed
};

/// No duplicates, in the order given.
template <class R>
struct wait_result {
  std::vector<future<R>> done;
  std::vector<future<R>> not_done;
};

namespace detail {

// The distinct futures of one wait, and which of them are over. Watches them for as long as it lives.
class future_group final : public completion_watch {
 public:
  explicit future_group(std::vector<shared_job<future_state_base>> states);
  future_group(const future_group&) = delete;
  future_group& operator=(const future_group&) = delete;
  ~future_group() override;

  void on_done(future_state_base& state) override;

  /// Blocks until `when` is fulfilled or the deadline; throws nothing then.
  void wait(return_when when, steady_time deadline);
  /// The next future that is over and has not been given out; null at the deadline.
  shared_job<future_state_base> next_done(steady_time deadline);
  std::size_t size() const { return states_.size(); }

 private:
  void wait_until(steady_time deadline, const std::function<bool()>& ready);

  std::vector<shared_job<future_state_base>> states_;                // null once given out
  std::vector<std::shared_ptr<wait_room>> rooms_;                         // where they come to an end; one as a rule
  std::vector<std::pair<const future_state_base*, std::size_t>> order_;  // place in states_, by address
  std::mutex mutex_;
  std::vector<shared_job<future_state_base>> over_;  // not given out yet, in order of completion
  std::size_t given_ = 0;                                 // of over_
  std::size_t finished_ = 0;
  bool any_failed_ = false;
};

template <class R>
std::vector<future<R>> distinct(const auto& futures) {
  std::vector<future<R>> kept;
  std::vector<const void*> seen;
  for (const future<R>& f : futures) seen.push_back(future_access::state(f).get());
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  std::vector<bool> taken(seen.size());
  for (const future<R>& f : futures) {
    const auto at = std::lower_bound(seen.begin(), seen.end(), static_cast<const void*>(future_access::state(f).get())) - seen.begin();
    if (taken[static_cast<std::size_t>(at)]) continue;
    taken[static_cast<std::size_t>(at)] = true;
    kept.push_back(f);
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

/// Waits for some or all of the futures. No throw when the timeout is up: what is not over is in not_done.
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

template <class R>
wait_result<R> wait(std::initializer_list<future<R>> futures, return_when when = return_when::all_completed,
                    std::optional<std::chrono::nanoseconds> timeout = std::nullopt) {
  return wait(std::vector<future<R>>(futures), when, timeout);
}

/// An input range of futures as they finish; see as_completed.
template <class R>
class completed_futures {
 public:
  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using value_type = future<R>;
    using difference_type = std::ptrdiff_t;
    using reference = future<R>&&;
    using pointer = void;

    iterator() = default;
    /// The next future that is over. Blocks until there is one. Throws timeout_error "2 (of 4) futures unfinished".
    reference operator*() const { return range_->current(); }
    iterator& operator++() {
      range_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& a, const iterator& b) { return a.at_end() == b.at_end(); }

   private:
    friend class completed_futures;
    explicit iterator(completed_futures* range) : range_(range) {}
    bool at_end() const { return range_ == nullptr || range_->yielded_ == range_->total_; }
    completed_futures* range_ = nullptr;
  };

  completed_futures(std::vector<future<R>> futures, detail::steady_time deadline)
      : total_(futures.size()), deadline_(deadline), group_(std::make_unique<detail::future_group>(detail::states_of(futures))) {}

  /// At the first future that has not been given out yet: a loop that was left goes on with the next.
  iterator begin() {
    if (given_) advance();
    return iterator(this);
  }
  iterator end() { return {}; }

 private:
  future<R>&& current() {
    if (!current_) {
      auto state = group_->next_done(deadline_);
      if (state == nullptr) {
        throw timeout_error(std::to_string(total_ - yielded_) + " (of " + std::to_string(total_) + ") futures unfinished");
      }
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
  bool given_ = false;  // the current one has been given out
};

/// The futures as they finish, those that are over first; duplicates count once. The timeout counts from the call.
template <std::ranges::input_range Range>
auto as_completed(const Range& futures, std::optional<std::chrono::nanoseconds> timeout = std::nullopt) {
  using R = detail::future_value_t<const Range&>;
  return completed_futures<R>(detail::distinct<R>(futures), detail::deadline_after(timeout));
}

template <class R>
completed_futures<R> as_completed(std::initializer_list<future<R>> futures,
                                  std::optional<std::chrono::nanoseconds> timeout = std::nullopt) {
  return as_completed(std::vector<future<R>>(futures), timeout);
}

}  // namespace rankpool
