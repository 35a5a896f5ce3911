// Records the chunks of a map or reduction in a journal, as an observer of its job.
#pragma once

#include "journal/journal_call.hpp"

#include <rankpool/detail/map/item_source.hpp>
#include <rankpool/detail/scheduler/chunk_observer.hpp>
#include <rankpool/detail/wire/digest.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>

namespace rankpool::detail {

/// Records the outcome of every chunk of one job. If that fails, the chunk fails with journal_error.
class call_recorder final : public chunk_observer {
 public:
  explicit call_recorder(std::shared_ptr<journal_call> call) : call_(std::move(call)) {}

  /// Is called when the journal cannot be written. Set it before the job is submitted.
  std::function<void(const std::exception_ptr& why)> on_failure;

  /// Records that a chunk was cut and will be sent, with the digest of its items.
  void on_cut(std::uint64_t first, const digest& input);
  /// Records that a part of a chunk is a chunk now, with the digest of its items.
  void on_divided(std::uint64_t first, const digest& input);
  /// Closes the record as soon as no worker holds a chunk. Thread safety: any thread.
  void release();

  // ---- chunk_observer
  void on_sent(const observed_chunk& chunk) override;
  void on_recalled(const observed_chunk& chunk) override;
  void on_abandoned(const observed_chunk& chunk) override;
  void on_finished(const observed_chunk& chunk, outcome& result) override;

 private:
  void leave(std::uint64_t first);

  std::mutex mutex_;
  std::shared_ptr<journal_call> call_;      // null once the record is closed
  std::map<std::uint64_t, digest> inputs_;  // by first item, of the chunks that were cut and have not finished
  std::set<std::uint64_t> at_workers_;      // the first items of chunks that workers hold, or are about to get
  bool is_released_ = false;
};

/// An item source that gives the recorder the digest of each chunk. It keeps the items of chunks that are not done, because a part
/// of a chunk needs a digest of its own.
class recorded_source final : public item_source {
 public:
  /// Lifetime: the recorder must outlive the source.
  recorded_source(std::unique_ptr<item_source> items, call_recorder& recorder) : items_(std::move(items)), recorder_(recorder) {
    items_->keep();
  }

  void append(item_batch batch) override { items_->append(std::move(batch)); }
  void cut(byte_writer& out, std::uint64_t first, std::uint64_t count) override;
  void keep() override {}
  void cut_again(byte_writer& out, std::uint64_t first, std::uint64_t count) override;
  void divide(std::uint64_t first, std::uint64_t count) override;
  void forget(std::uint64_t first) override { items_->forget(first); }

 private:
  const std::unique_ptr<item_source> items_;
  call_recorder& recorder_;
};

/// Cuts a chunk from a source into `bytes`, which it clears before, and returns the digest of the items.
digest cut_and_digest(item_source& items, byte_buffer& bytes, std::uint64_t first, std::uint64_t count);

}  // namespace rankpool::detail
