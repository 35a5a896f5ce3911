// The failed parts of a map that run again, and their chunks until then.
//
// A failed item runs again alone; a chunk that failed as a whole runs again as a whole. A chunk is final when none of its parts
// runs again any more.
#pragma once

#include <rankpool/detail/client/retry_policy.hpp>
#include <rankpool/detail/map/map_call.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace rankpool::detail {

/// Thread safety: one thread at a time. decide() may be called while another thread calls the other functions.
class chunk_retries {
 public:
  /// Consecutive items that run again.
  struct part {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::chrono::nanoseconds delay{};
  };

  /// `by_items`: a chunk has one result for each item, otherwise one for the whole chunk.
  chunk_retries(std::shared_ptr<const retry_policy> policy, bool by_items) : policy_(std::move(policy)), by_items_(by_items) {}

  /// Takes the outcome of a chunk or part. Returns the chunk if it is final now.
  std::optional<finished_chunk> take(finished_chunk part_or_chunk);
  /// Returns the failed outcomes that decide() and settle() must be called for.
  std::vector<finished_chunk> take_undecided() { return std::exchange(undecided_, {}); }
  bool has_undecided() const { return !undecided_.empty(); }
  /// Returns the parts of a failed outcome that run again. Calls the program's retry_if. Only the thread that drives the pool calls
  /// it.
  std::vector<part> decide(const finished_chunk& failed);
  /// Notes which parts of an outcome run again. Returns the chunk if it is final now.
  std::optional<finished_chunk> settle(finished_chunk part_or_chunk, const std::vector<part>& again);
  /// The delay of a part is over: it can be cut.
  void release(std::uint64_t first);
  /// Returns the number of items that can be cut.
  std::uint64_t available() const { return available_; }
  /// Returns the next part that can be cut. Requires available() > 0.
  part cut();
  /// No part runs again. Returns the chunks that are final now, with the failures that they have.
  std::vector<finished_chunk> abandon();
  /// A chunk is not final.
  bool is_waiting() const { return !undecided_.empty() || !open_.empty(); }

 private:
  struct open_chunk {
    finished_chunk chunk;
    std::size_t parts = 0;  // that run again
    bool is_whole = false;  // the chunk itself runs again
  };
  using open_chunks = std::map<std::uint64_t, open_chunk>;  // by first item

  open_chunks::iterator find(std::uint64_t item);
  bool has_failed(const finished_chunk& ended) const;
  finished_chunk close(open_chunks::iterator which);

  const std::shared_ptr<const retry_policy> policy_;
  const bool by_items_;
  std::vector<finished_chunk> undecided_;
  open_chunks open_;
  std::map<std::uint64_t, std::uint64_t> waiting_;     // number of items, by the first, of parts whose delay is not over
  std::deque<part> ready_;                             // parts that can be cut
  std::uint64_t available_ = 0;                        // items of ready_
  std::map<std::uint64_t, failed_attempts> attempts_;  // by first item; only decide() uses it
};

}  // namespace rankpool::detail
