// The answers of a batch, as a log in memory that a rank and its runner process share. The runner appends, the rank reads.
//
// A record counts once its end is within runner_control::answered_bytes, so a runner that dies while it writes leaves no damaged
// record. The next runner continues the log. A map's chunk is logged item by item, so that the outcomes of its items survive.
#pragma once

#include "runner/copy_guard.hpp"
#include "runner/growing_memory.hpp"
#include "runner/runner_control.hpp"
#include "runner/task_runner.hpp"
#include "runner/uses.hpp"

#include <rankpool/detail/call/chunk_writer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace rankpool::detail {

/// The runner's end of the log.
class answer_writer final : public item_progress {
 public:
  /// `retire`: ends this process, which is to be replaced. Lifetime: `control` and `log` must outlive the object.
  answer_writer(runner_control& control, growing_memory& log, std::function<void()> retire);

  /// The runner starts the call with this index, or continues it with `first_item`. `is_timed`: it has a timeout.
  void begin_call(std::uint32_t index, std::uint64_t first_item, bool is_timed);
  /// Throws: std::bad_alloc; error.
  void end_call(const task_runner::answer& a, std::chrono::nanoseconds taken);
  void end_initializer(const task_runner::answer& a);
  /// Returns how many tasks and items this process has started.
  std::uint64_t started() const { return started_; }
  /// Returns the size of the blocks that the rank reads from this process, in bytes. This process must not end before the rank has
  /// read the log.
  std::size_t held_bytes() const { return total_size(held_); }
  /// The rank has read the log.
  void release() { held_.clear(); }

  // ---- item_progress
  void on_item() override;
  std::uint64_t first_item() override;
  void keep(std::span<const std::byte> results, blocks_view out_of_band, std::span<const std::byte> failures, std::uint64_t failed,
            std::uint64_t next_item) override;

 private:
  void mark_begin(bool is_timed);
  void append_block(const std::shared_ptr<block>& b, bool by_address);

  runner_control& control_;
  growing_memory& log_;
  const std::function<void()> retire_;
  const copy_guard original_;  // a copy of this process must not write
  std::uint32_t index_ = 0;
  std::uint64_t first_item_ = 0;
  bool is_timed_ = false;
  bool has_items_ = false;  // the call is a chunk, whose items are counted
  std::uint64_t started_ = 0;
  blocks held_;  // that the log refers to by address
};

/// The rank's end of the log.
class answer_reader {
 public:
  /// `unread`: counts the large blocks that stay in the runner until rank 0 reads them from there; null: this object reads them.
  /// Lifetime: `control` and `log` must outlive the object.
  answer_reader(runner_control& control, growing_memory& log, std::shared_ptr<uses> unread)
      : control_(control), log_(log), unread_(std::move(unread)) {}

  /// Starts again with an empty log. No runner may write.
  void clear();
  /// Reads up to the end of the next call, and returns its answer; nothing if that is not complete yet.
  /// Throws: std::bad_alloc; error; initializer_failure if the initializer threw.
  std::optional<task_runner::answer> next();
  /// Returns the first item without an outcome of the chunk that is being read; 0 if the call has no items.
  std::uint64_t next_item() const { return items_.next; }
  /// The item next_item() has failed. `exception`: encoded.
  void fail_item(std::span<const std::byte> exception);
  /// Forgets what the log has of the item next_item(), whose process has ended.
  void drop_item();
  /// Forgets the incomplete call.
  void drop();

 private:
  void end_item(std::uint64_t next);
  std::shared_ptr<block> read_block(byte_reader& content) const;

  runner_control& control_;
  growing_memory& log_;
  const std::shared_ptr<uses> unread_;
  std::size_t read_ = 0;
  // Of the incomplete call:
  byte_buffer results_;
  byte_buffer failures_;
  std::uint64_t failed_ = 0;
  blocks out_of_band_;
  // How much of the above belongs to items that have their outcomes.
  struct {
    std::uint64_t next = 0;
    std::size_t failure_bytes = 0;
    std::uint64_t failed = 0;
    std::size_t blocks = 0;
  } items_;
};

}  // namespace rankpool::detail
