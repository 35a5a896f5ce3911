// A running map or reduction as its caller uses it: input goes in, finished chunks come out.
#pragma once

#include <rankpool/detail/map/item_source.hpp>
#include <rankpool/detail/scheduler/job.hpp>
#include <rankpool/detail/support/steady_time.hpp>

#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>

namespace rankpool::detail {

/// Consecutive items with their outcome.
struct finished_chunk {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  outcome result;
  std::map<std::uint64_t, outcome> retried = {};  ///< of the items that have failed and run again alone, by index in the chunk
};

/// A running map or reduction. Thread safety: one thread at a time, except cancel().
class map_call {
 public:
  map_call() = default;
  map_call(const map_call&) = delete;
  map_call& operator=(const map_call&) = delete;

  /// Returns whether each item needs its references to shared values (item_batch::references), for a digest. Otherwise of
  /// consecutive references to the same value only the first is needed.
  virtual bool needs_every_reference() const { return false; }
  /// Adds input. `is_full`: no more input comes until a chunk is taken, so chunks may be shorter than the chunk size. If the call
  /// is sealed, the items do not run and fail with refusal().
  virtual void add(item_batch items, bool is_full) = 0;
  /// Seals the call, because the input has ended. Throws: journal_error.
  virtual void end_input() = 0;
  /// Seals the call, even if the input has not ended.
  virtual void stop_input() = 0;
  /// Returns whether further input is refused: after end_input(), stop_input() or cancel(), and when the executor was shut down or
  /// broke.
  virtual bool is_sealed() const = 0;
  /// Returns why input was refused before its end.
  virtual std::exception_ptr refusal() const = 0;
  /// Returns the number of items that were added.
  virtual std::uint64_t added() const = 0;
  /// Returns the finished chunk that starts at `wanted`, or any finished chunk if `wanted` is empty. Returns nothing at the
  /// deadline. Blocks: until the chunk has finished or the deadline has passed.
  virtual std::optional<finished_chunk> take(std::optional<std::uint64_t> wanted, steady_time deadline) = 0;
  /// Seals the call. Items that no worker holds fail with `why`; null: they are cancelled. Thread safety: any thread.
  virtual void cancel(const std::exception_ptr& why) = 0;
  /// Cancels the call, and ends its use by the caller.
  virtual void drop() noexcept = 0;

 protected:
  ~map_call() = default;
};

/// A call that accepts finished chunks in place of input.
class resumable_map_call : public map_call {
 public:
  /// Adds items that are not run, because their outcome is known. take() returns this chunk.
  virtual void add_finished(finished_chunk chunk) = 0;

 protected:
  ~resumable_map_call() = default;
};

struct drop_call {
  void operator()(map_call* call) const noexcept { call->drop(); }
};
using map_call_ptr = std::unique_ptr<map_call, drop_call>;
using resumable_map_call_ptr = std::unique_ptr<resumable_map_call, drop_call>;

/// Cancels a call whose timeout has expired, and returns the timeout_error. `operation`: "map" or "transform_reduce". `taken`: the
/// number of items whose results the caller has.
std::exception_ptr time_out(map_call& call, const char* operation, std::uint64_t taken);

}  // namespace rankpool::detail
