// map_results<R>: the results of executor::map and executor::starmap, an input range.
//
// The calling thread decodes each result when it reads it. Destroying the range cancels items that have not started.
#pragma once

#include <rankpool/detail/codec/boxed_if_large.hpp>
#include <rankpool/detail/map/chunk_reader.hpp>
#include <rankpool/detail/map/input_feed.hpp>
#include <rankpool/detail/map/map_call.hpp>
#include <rankpool/errors.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace rankpool {

/// The results of a map, as an input range: in input order, or in order of completion with map_options::ordered = false. Only one
/// pass is possible. If R is void, the results are std::monostate.
/// Destroying the range, or assigning to it, cancels items that have not started.
/// Thread safety: one thread at a time.
/// Lifetime: iterators refer to the range, and become invalid when it is moved or destroyed. An input range that was passed to map
/// as an lvalue with map_options::buffersize must outlive the map_results.
template <class R>
class map_results {
 public:
  using value_type = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

  /// Reads the results one by one.
  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using value_type = map_results::value_type;
    using difference_type = std::ptrdiff_t;
    using reference = value_type&;
    using pointer = void;

    /// Constructs an iterator at the end.
    iterator() = default;

    /// Returns a reference to the current result, from which the caller may move.
    /// Throws: what the task threw for this item; serialization_error; cancelled_error; stopped_error; broken_pool; pool_closed;
    /// journal_error; what reading the input threw; timeout_error if map_options::timeout expired, which is the last element.
    /// The iterator may be incremented after an exception.
    /// Blocks: until the result is available.
    /// Lifetime: the reference is valid until the iterator is incremented.
    reference operator*() const { return results_->current(); }

    /// Moves to the next result. With map_options::buffersize, the input is read while the results are, and
    /// this call may read more of it.
    /// Blocks: until the current result is available, if it was not read.
    iterator& operator++() {
      results_->advance();
      return *this;
    }
    /// Moves to the next result, as the prefix operator.
    void operator++(int) { ++*this; }

    /// Returns whether both iterators are at the end, or neither is.
    friend bool operator==(const iterator& a, const iterator& b) { return a.at_end() == b.at_end(); }

   private:
    friend class map_results;
    explicit iterator(map_results* results) : results_(results) {}
    bool at_end() const { return results_ == nullptr || results_->exhausted(); }

    map_results* results_ = nullptr;
  };

  /// Internal: executor::map calls this. `feed` reads further input while results are read, at most `buffersize` items ahead.
  map_results(detail::map_call_ptr call, std::unique_ptr<detail::input_feed> feed, std::uint64_t buffersize, bool ordered,
              detail::steady_time deadline)
      : call_(std::move(call)), feed_(std::move(feed)), buffersize_(buffersize), ordered_(ordered), deadline_(deadline) {
    refill();
  }

  /// Returns an iterator to the first result that has not been read. A second loop continues where the first one ended.
  iterator begin() {
    if (given_) advance();
    return iterator(this);
  }

  /// Returns the end of the range.
  iterator end() { return {}; }

 private:
  bool exhausted() const { return !call_ || stopped_ || (yielded_ == added_ && feed_ == nullptr && refused_ == nullptr); }

  value_type& current() {
    if (!fetched_) fetch();
    given_ = true;
    if (error_ != nullptr) std::rethrow_exception(error_);
    return **value_;
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
    } catch (...) {  // reading the input failed: the items that were read before come first, then this exception
      refuse(std::current_exception());
      added_ = call_->added();
    }
  }

  // Waits for the next item and decodes it. Any exception becomes the error of the item.
  void fetch() {
    fetched_ = true;
    if (yielded_ == added_ && refused_ != nullptr) {
      error_ = refused_;
      last_ = true;
      return;
    }
    if (chunk_ == nullptr || chunk_->left() == 0) {
      auto next = call_->take(ordered_ ? std::optional(yielded_) : std::nullopt, deadline_);
      if (!next) {
        error_ = time_out(*call_, "map", yielded_);
        last_ = true;
        return;
      }
      chunk_ = std::make_unique<detail::chunk_reader>(std::move(*next));
    }
    try {
      error_ = chunk_->advance();
      if (error_ != nullptr) return;
      if constexpr (std::is_void_v<R>) {
        value_.emplace([] { return value_type(); });
      } else {
        value_.emplace([&] { return detail::decode_next_result<R>(chunk_->results()); });
      }
    } catch (...) {
      error_ = std::current_exception();
    }
  }

  // Keeps up to buffersize items in the call. A large buffer is refilled in steps of an eighth, at most 4096 items, to save calls.
  void refill() {
    if (feed_ == nullptr) return;
    const std::uint64_t room = buffersize_ - (added_ - yielded_);
    if (added_ != yielded_ && room < std::clamp<std::uint64_t>(buffersize_ / 8, 1, 4096)) return;
    const bool has_more = call_->is_sealed() || feed_->feed(*call_, room);
    if (!has_more) {
      refuse(nullptr);
    } else if (call_->is_sealed()) {  // the executor was shut down or broke: the items that were read come first, then the reason
      refuse(feed_->discard_one() ? call_->refusal() : nullptr);
    }
    added_ = call_->added();
  }

  // Ends the input. `why` is the error after the last item; null if the input has ended.
  void refuse(const std::exception_ptr& why) {
    refused_ = why;
    feed_.reset();
    if (call_->is_sealed()) return;
    why == nullptr ? call_->end_input() : call_->stop_input();
  }

  void stop() {
    stopped_ = true;
    chunk_.reset();
    feed_.reset();
  }

  detail::map_call_ptr call_;
  std::unique_ptr<detail::input_feed> feed_;
  std::uint64_t buffersize_ = 0;
  bool ordered_ = true;
  detail::steady_time deadline_ = detail::steady_time::max();
  std::uint64_t added_ = 0;  // items in the call
  std::uint64_t yielded_ = 0;
  std::exception_ptr refused_;  // why the rest of the input is not read
  bool last_ = false;           // the current item is an error that ends the range
  bool stopped_ = false;
  bool fetched_ = false;
  bool given_ = false;  // the caller has read the current item
  std::unique_ptr<detail::chunk_reader> chunk_;
  std::optional<detail::boxed_if_large<value_type>> value_;
  std::exception_ptr error_;
};

}  // namespace rankpool
