// The parts of a map that have failed and run again, and the chunks that wait for them.
//
// A part is a failed item, or a chunk that failed as a whole. A chunk is open while one of its parts runs again, or may. Then it is
// final, and the caller of the map can take it.
#pragma once

#include <rankpool/detail/client/retry_policy.hpp>
#include <rankpool/detail/map/map_call.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace rankpool::detail {

/// Thread safety: one thread at a time, except decide().
class chunk_retries {
 public:
  /// Consecutive items that run again.
  struct part {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::chrono::nanoseconds delay{};
  };
  /// A chunk or part with a failure, and the earlier failures of its items by index in the input. For those of a whole chunk, the
  /// index is that of its first item.
  struct failed_chunk {
    finished_chunk chunk;
    std::map<std::uint64_t, failed_attempts> so_far;
  };

  /// `by_items`: a chunk has one result for each item, otherwise one for the whole chunk.
  chunk_retries(std::shared_ptr<const retry_policy> policy, bool by_items) : policy_(std::move(policy)), by_items_(by_items) {}

  /// Takes the outcome of a chunk or part. Returns the chunk if it is final now. If the outcome has failures, the chunk is open
  /// until settle().
  std::optional<finished_chunk> take(finished_chunk ended);
  bool has_undecided() const { return !undecided_.empty(); }
  /// Returns the outcomes with failures. decide() and settle() must follow for each.
  std::vector<failed_chunk> take_undecided();
  /// Returns which parts of a failed chunk run again, and counts its failures. Calls retry_if. Thread safety: any thread.
  std::vector<part> decide(failed_chunk& failed) const;
  /// Records the decision. Returns the chunk if it is final now.
  std::optional<finished_chunk> settle(failed_chunk failed, const std::vector<part>& again);
  /// The delay of a part is over: it can be cut.
  void release(std::uint64_t first);
  /// Returns the number of items that can be cut.
  std::uint64_t available() const { return available_; }
  /// Returns the next part that can be cut. Requires available() > 0.
  part cut();
  /// The parts that no worker has do not run again: they fail with `why`, or, if it is null, with their last exception. Returns the
  /// chunks that are final now.
  std::vector<finished_chunk> abandon(const std::exception_ptr& why);
  /// Returns whether any chunk is open.
  bool any_open() const { return !undecided_.empty() || deciding_ > 0 || !open_.empty(); }

 private:
  struct open_chunk {
    finished_chunk chunk;
    std::size_t parts = 0;  // that run again
    bool is_whole = false;  // the chunk itself runs again
  };
  using open_chunks = std::map<std::uint64_t, open_chunk>;  // by first item

  open_chunks::iterator find(std::uint64_t item);
  bool has_failed(const finished_chunk& ended) const;
  std::optional<finished_chunk> conclude(finished_chunk ended, const std::vector<part>& again);
  finished_chunk close(open_chunks::iterator which);

  const std::shared_ptr<const retry_policy> policy_;
  const bool by_items_;
  std::vector<finished_chunk> undecided_;
  std::size_t deciding_ = 0;  // chunks between take_undecided() and settle()
  open_chunks open_;
  std::map<std::uint64_t, std::uint64_t> waiting_;     // number of items, by the first, of parts whose delay is not over
  std::deque<part> ready_;                             // parts that can be cut
  std::uint64_t available_ = 0;                        // items of ready_
  std::map<std::uint64_t, failed_attempts> attempts_;  // of the parts that run again, by first item
};

}  // namespace rankpool::detail
