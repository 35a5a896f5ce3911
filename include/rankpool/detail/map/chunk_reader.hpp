// Reads a finished chunk of a map or reduction on the caller's thread: its results, the errors of its items, or why it failed.
#pragma once

#include <rankpool/detail/map/map_call.hpp>
#include <rankpool/detail/wire/bytes.hpp>

#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

namespace rankpool::detail {

/// Reads a chunk of a map item by item. It can be neither copied nor moved, because its readers point into it.
class chunk_reader {
 public:
  explicit chunk_reader(finished_chunk p);
  chunk_reader(const chunk_reader&) = delete;
  chunk_reader& operator=(const chunk_reader&) = delete;

  /// Returns the number of items that are not read yet.
  std::uint64_t left() const { return chunk_.count - at_; }
  /// Moves past the next item. Returns its exception, or null if its result is next in results().
  /// Throws: serialization_error if the exception cannot be decoded.
  std::exception_ptr advance() {
    if (at_ == next_failure_ || whole_ != nullptr) return advance_to_failure();
    ++at_;
    current_ = &results_;
    return nullptr;
  }
  byte_reader& results() { return *current_; }

 private:
  std::exception_ptr advance_to_failure();

  finished_chunk chunk_;
  std::uint64_t at_ = 0;  // items read
  byte_reader results_{nullptr, 0};
  byte_reader* current_ = &results_;  // has the result of the last item
  byte_reader failures_{nullptr, 0};
  std::uint64_t failures_left_ = 0;
  std::uint64_t next_failure_ = std::numeric_limits<std::uint64_t>::max();
  std::exception_ptr whole_;               // if the chunk failed as a whole
  std::unique_ptr<chunk_reader> retried_;  // of the last item, if it ran again alone
};

/// Returns why a chunk failed as a whole. Requires that it has no value.
std::exception_ptr chunk_error(std::uint64_t first, const outcome& result);

/// Returns the number of failed items in the value of a chunk that has a result for each item; 0 if it cannot be read.
std::uint64_t count_failures(const outcome& result);

/// Returns the first `most` failed items of such a chunk, whose first item is `first`. Those that cannot be read are left out.
std::vector<failed_items::example> failures_of(std::uint64_t first, const outcome& result,
                                               std::uint64_t most = std::numeric_limits<std::uint64_t>::max());

}  // namespace rankpool::detail
