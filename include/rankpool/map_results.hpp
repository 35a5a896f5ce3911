// map_results<R>: what map returns, an input range of the results.
//
// Results are decoded one by one as they are read. Dropping the range cancels what it has not started.
#pragma once

#include <rankpool/detail/input_feed.hpp>
#include <rankpool/detail/piecewise_job.hpp>
#include <rankpool/errors.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace rankpool {

namespace detail {

// One finished piece, read item by item. Stays where it is made: the readers point into it.
class piece_reader {
 public:
  explicit piece_reader(finished_piece p);
  piece_reader(const piece_reader&) = delete;
  piece_reader& operator=(const piece_reader&) = delete;

  std::uint64_t left() const { return piece_.count - at_; }
  /// Moves past the next item. Its exception, or null if its result is next in results().
  std::exception_ptr advance();
  byte_reader& results() { return results_; }

 private:
  finished_piece piece_;
  std::uint64_t at_ = 0;  // items read
  byte_reader results_{nullptr, 0};
  byte_reader failures_{nullptr, 0};
  std::uint64_t failures_left_ = 0;
  std::uint64_t next_failure_ = no_limit;
  std::exception_ptr whole_;  // the piece failed as one
};

/// Why a piece that has no value failed as a whole.
std::exception_ptr piece_error(const finished_piece& piece);

// Owns a map's job: whoever lets go of it cancels what has not started.
class job_owner {
 public:
  explicit job_owner(shared_job<piecewise_job> job) : job_(std::move(job)) {}
  job_owner(job_owner&&) noexcept = default;
  job_owner& operator=(job_owner&& other) noexcept {
    cancel();
    job_ = std::move(other.job_);
    return *this;
  }
  ~job_owner() { cancel(); }
  piecewise_job* operator->() const { return job_.get(); }
  piecewise_job& operator*() const { return *job_; }
  explicit operator bool() const { return job_ != nullptr; }
  shared_job<piecewise_job> shared() const { return job_; }

 private:
  void cancel() noexcept;

  shared_job<piecewise_job> job_;
};

}  // namespace detail

template <class R>
class map_results {
 public:
  using value_type = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using value_type = map_results::value_type;
    using difference_type = std::ptrdiff_t;
    using reference = value_type&&;
    using pointer = void;

    iterator() = default;

    /// The result, to be moved from. Blocks until it is there. Throws what the task threw, serialization_error, cancelled_error,
    /// broken_pool, or timeout_error when the map's time is up.
    reference operator*() const { return results_->current(); }
    iterator& operator++() {
      results_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }

    friend bool operator==(const iterator& a, const iterator& b) { return a.at_end() == b.at_end(); }

   private:
    friend class map_results;
    explicit iterator(map_results* results) : results_(results) {}
    bool at_end() const { return results_ == nullptr || results_->exhausted(); }

    map_results* results_ = nullptr;
  };

  /// `feed` reads on while results are taken (null: all input is there); at most `buffersize` items ahead.
  map_results(detail::job_owner job, std::unique_ptr<detail::input_feed> feed, std::uint64_t buffersize,
              bool ordered, detail::steady_time deadline)
      : job_(std::move(job)), feed_(std::move(feed)), buffersize_(buffersize), ordered_(ordered), deadline_(deadline) {
    refill();
  }
  /// At the first item that has not been read yet: a loop that was left goes on with the next.
  iterator begin() {
    if (given_) advance();
    return iterator(this);
  }
  iterator end() { return {}; }

 private:
  bool exhausted() const {
    return !job_ || stopped_ || (yielded_ == added_ && feed_ == nullptr && refused_ == nullptr);
  }

  value_type&& current() {
    if (!fetched_) fetch();
    given_ = true;
    if (error_ != nullptr) std::rethrow_exception(error_);
    return std::move(*value_);
  }

  void advance() {
    if (!fetched_) fetch();
    fetched_ = false;
    given_ = false;
    value_.reset();
    error_ = nullptr;
    ++yielded_;
    if (last_) stop();
    if (stopped_) return;
    try {
      refill();
    } catch (...) {  // reading the input failed: what was read before still comes, then this
      refuse(std::current_exception());
      added_ = job_->added();
    }
  }

  // Waits for the next item and decodes it; whatever goes wrong becomes its error.
  void fetch() {
    fetched_ = true;
    if (yielded_ == added_ && refused_ != nullptr) {
      error_ = refused_;
      last_ = true;
      return;
    }
    if (piece_ == nullptr || piece_->left() == 0) {
      auto next = job_->take(ordered_ ? std::optional(yielded_) : std::nullopt, deadline_);
      if (!next) {
        error_ = std::make_exception_ptr(timeout_error("map: the timeout is up with " + std::to_string(yielded_) + " results yielded"));
        last_ = true;
        job_->cancel(std::make_exception_ptr(cancelled_error("the map's timeout was up before this item was started")));
        return;
      }
      piece_ = std::make_unique<detail::piece_reader>(std::move(*next));
    }
    try {
      error_ = piece_->advance();
      if (error_ != nullptr) return;
      if constexpr (std::is_void_v<R>) {
        value_.emplace();
      } else {
        value_.emplace(detail::decode_result<R>(piece_->results()));
      }
    } catch (...) {
      error_ = std::current_exception();
    }
  }

  // Keeps up to buffersize items under way; by and by rather than singly where the buffer is large.
  void refill() {
    if (feed_ != nullptr) {
      const std::uint64_t room = buffersize_ - (added_ - yielded_);
      if (added_ != yielded_ && room < std::clamp<std::uint64_t>(buffersize_ / 8, 1, 4096)) return;
      if (job_->sealed()) {  // the executor was shut down or broke: what was taken still comes, then the reason
        refuse(feed_->discard_one() ? job_->refusal() : nullptr);
      } else if (!feed_->feed(*job_, room)) {
        refuse(nullptr);
      }
    }
    added_ = job_->added();
  }

  // No more input is taken; null: there is none.
  void refuse(const std::exception_ptr& why) {
    refused_ = why;
    feed_.reset();
    if (job_->sealed()) return;
    job_->end_input();
    job_->owner().changed(job_.shared());
  }

  void stop() {
    stopped_ = true;
    piece_.reset();
    feed_.reset();
  }

  detail::job_owner job_;
  std::unique_ptr<detail::input_feed> feed_;
  std::uint64_t buffersize_ = 0;
  bool ordered_ = true;
  detail::steady_time deadline_ = detail::steady_time::max();
  std::uint64_t added_ = 0;  // items in the job
  std::uint64_t yielded_ = 0;
  std::exception_ptr refused_;  // there is more input, but it can no longer be fed
  bool last_ = false;           // the current item is an error that ends the range
  bool stopped_ = false;
  bool fetched_ = false;
  bool given_ = false;  // the current item has been given out
  std::unique_ptr<detail::piece_reader> piece_;
  std::optional<value_type> value_;
  std::exception_ptr error_;
};

}  // namespace rankpool
