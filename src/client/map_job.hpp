// The job of a map or reduction. The caller adds items at the end, the pool cuts chunks from the front, and the caller takes the
// finished chunks.
#pragma once

#include "client/chunk_retries.hpp"

#include <rankpool/detail/client/encode_call.hpp>
#include <rankpool/detail/client/executor_core.hpp>
#include <rankpool/detail/map/item_source.hpp>
#include <rankpool/detail/map/map_call.hpp>
#include <rankpool/detail/scheduler/job.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_set>

namespace rankpool::detail {

/// Thread safety: the caller uses the functions of map_call, and the thread that drives the pool those of job.
class map_job final : public job, public resumable_map_call {
 public:
  /// `by_items`: a chunk has a result for each item, otherwise one for the whole chunk. `items_per_chunk` 0: chosen by measured
  /// time. `source`: empty. `retries`: null if rank 0 runs nothing again.
  map_job(std::shared_ptr<executor_core> owner, code_address run, std::uintptr_t kind, bool by_items, std::uint64_t items_per_chunk,
          encoded_head head, std::unique_ptr<item_source> source, std::unique_ptr<chunk_retries> retries);

  // ---- map_call
  void add(item_batch items, bool is_full) override;
  void add_finished(finished_chunk chunk) override;
  void end_input() override;
  void stop_input() override;
  bool is_sealed() const override { return sealed_; }
  std::exception_ptr refusal() const override;
  std::uint64_t added() const override;
  std::optional<finished_chunk> take(std::optional<std::uint64_t> wanted, steady_time deadline) override;
  void cancel(const std::exception_ptr& why) override;
  /// Also releases the caller's reference to the job.
  void drop() noexcept override;

  // ---- job
  std::uint64_t available() override;
  bool may_grow() override { return !sealed_; }
  bool awaits_retry() override;
  std::uint64_t chunksize() const override { return chunksize_; }
  chunk cut(std::uint64_t items) override;
  chunk cut_from(const chunk& whole, std::uint64_t first, std::uint64_t count) override;
  failed_items failures_in(std::uint64_t first, std::uint64_t count, const outcome& result, std::size_t most) const override;
  void on_requeued(std::uint64_t first, std::uint64_t count) override;
  bool is_requeued(std::uint64_t first) const override;
  bool resume(std::uint64_t first) override;
  bool on_outcome(std::uint64_t first, std::uint64_t count, outcome&& result) override;
  void retry(std::uint64_t first) override;
  void react() override;
  bool abandon(const std::exception_ptr& why) override;
  void seal() override;

 private:
  // The caller holds mutex_:
  void skip(finished_chunk chunk);
  void finish(finished_chunk chunk);
  void keep_if_final(std::optional<finished_chunk> chunk);
  void fail_chunk(std::uint64_t first, std::uint64_t count);
  void fail_rest(const std::exception_ptr& why);
  std::exception_ptr reason() const;
  std::uint64_t left_to_cut() const;
  // The caller must not hold mutex_:
  void notify_taker();

  const std::shared_ptr<executor_core> owner_;
  const bool by_items_;
  const std::uint64_t chunksize_;
  const byte_buffer head_;  // precedes the number of items and the items of every chunk
  mutable std::mutex mutex_;
  std::unordered_set<std::shared_ptr<const shared_data>> references_;  // of the head and the items, until the job is destroyed
  std::unique_ptr<item_source> source_;                                // null: no further chunk is cut
  std::uint64_t added_ = 0;
  std::uint64_t ready_ = 0;                                      // of these, may be cut
  std::uint64_t cut_ = 0;                                        // of these, are cut or skipped
  std::deque<std::pair<std::uint64_t, std::uint64_t>> skipped_;  // first and number of items that do not run, beyond cut_
  std::map<std::uint64_t, std::uint64_t> requeued_;              // number of items, by the first
  const std::unique_ptr<chunk_retries> retries_;                 // null: nothing runs again
  std::atomic<bool> sealed_ = false;
  bool is_abandoned_ = false;
  std::exception_ptr abandoned_;                      // why; null: cancelled
  std::map<std::uint64_t, finished_chunk> finished_;  // not taken yet, by first item
  std::atomic<bool> awaited_ = false;
};

}  // namespace rankpool::detail
