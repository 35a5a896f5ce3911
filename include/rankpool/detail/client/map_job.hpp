// A job of many items: grows at the end while input comes in, is cut at the front, and keeps the outcomes of
// finished chunks until the caller takes them, in input order or as they come.
#pragma once

#include <rankpool/detail/client/executor_core.hpp>
#include <rankpool/detail/client/item_source.hpp>
#include <rankpool/detail/journal/journal_call.hpp>
#include <rankpool/detail/scheduler/job.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace rankpool::detail {

struct finished_chunk {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  outcome result;
  bool kept = false;  ///< its result is in the journal, from an earlier run
};

/// The encoded callables of a map or reduction, and what they refer to.
struct encoded_head {
  byte_buffer bytes;
  keepers kept;
};

class map_job final : public job {
 public:
  /// `head` precedes the count and the items of every chunk. `kept`: what earlier runs have finished; may be null.
  map_job(std::shared_ptr<executor_core> owner, code_address run, std::uintptr_t kind, std::uint64_t items_per_chunk,
          encoded_head head, std::unique_ptr<item_source> source, std::shared_ptr<journal_call> kept);

  // ---- the caller's side
  /// `fill(source)` adds to the source and returns how many items it added. `full`: nothing more comes until
  /// something is taken, so a chunk may be cut short.
  template <class Fill>
  void append(Fill fill, bool full) {
    std::lock_guard lock(mutex_);
    if (sealed_) return;  // nobody would run it
    added_ += fill(*source_);
    ready_ = full || chunksize_ == 0 ? added_ : added_ - added_ % chunksize_;
    full_ = full;
  }
  /// What further items refer to, until the job goes.
  void keep(const keepers& more);
  /// The input has come to its end.
  void end_input();
  /// No more input is taken.
  void seal() override;
  /// Whether seal() or abandon() has been called: further input is not taken.
  bool sealed() const { return sealed_; }
  /// Why input is not taken although there is more of it.
  std::exception_ptr refusal() const;
  /// Nothing more is cut. Items that were not cut yield `why`.
  bool abandon(const std::exception_ptr& why) override;
  /// abandon(), and tells the pool.
  void cancel(const std::exception_ptr& why);
  /// The map's timeout is up: cancels what has not started. Returns the error for the caller, who has had `yielded` results.
  std::exception_ptr time_out(std::uint64_t yielded);
  /// cancel(), and nothing will be taken any more.
  void drop();
  /// The finished chunk that starts at `wanted`, or any if there is no wish. Null when the deadline comes first.
  std::optional<finished_chunk> take(std::optional<std::uint64_t> wanted, steady_time deadline);
  std::uint64_t added() const;
  executor_core& owner() const { return *owner_; }

  // ---- job
  std::uint64_t available() override;
  bool may_grow() override { return !sealed_; }
  std::uint64_t chunksize() const override { return chunksize_; }
  chunk cut(std::uint64_t items) override;
  void on_requeued(std::uint64_t first, std::uint64_t count) override;
  bool is_requeued(std::uint64_t first) const override;
  bool resume(std::uint64_t first) override;
  bool on_outcome(std::uint64_t first, std::uint64_t count, outcome result) override;

 private:
  void arrived();
  bool is_stuck() const;
  bool waits_for_known() const;
  bool take_over();
  void check_end();
  void leave_rest(const std::exception_ptr& why);
  void leave_chunk(std::uint64_t first, std::uint64_t count);
  std::uint64_t left_to_cut() const;
  std::shared_ptr<journal_call> journal() const;
  void let_journal_go();
  void note(std::uint64_t first, std::uint64_t count, outcome& result);
  std::optional<finished_chunk> prepared(std::optional<finished_chunk> chunk);

  const std::shared_ptr<executor_core> owner_;
  const std::uint64_t chunksize_;
  const byte_buffer head_;
  keepers kept_;
  mutable std::mutex mutex_;
  std::unique_ptr<item_source> source_;
  std::uint64_t added_ = 0;
  std::uint64_t ready_ = 0;  // of those, may be cut
  std::uint64_t cut_ = 0;
  std::map<std::uint64_t, std::uint64_t> requeued_;  // number of items, by the first
  std::atomic<bool> sealed_ = false;
  std::exception_ptr abandoned_;  // why the rest was left, if not cancelled
  bool has_left_rest_ = false;
  std::map<std::uint64_t, finished_chunk> finished_;
  bool full_ = false;
  const bool journalled_;
  std::shared_ptr<journal_call> journal_;   // until nothing more will be noted or taken
  std::map<std::uint64_t, digest> inputs_;  // of the chunks that are running, with a journal
  bool dropped_ = false;
  std::atomic<bool> awaited_ = false;
};

/// Owns a map's job: whoever lets go of it cancels what has not started.
class job_owner {
 public:
  explicit job_owner(shared_job<map_job> job) : job_(std::move(job)) {}
  job_owner(job_owner&&) noexcept = default;
  job_owner& operator=(job_owner&& other) noexcept {
    cancel();
    job_ = std::move(other.job_);
    return *this;
  }
  ~job_owner() { cancel(); }
  map_job* operator->() const { return job_.get(); }
  map_job& operator*() const { return *job_; }
  explicit operator bool() const { return job_ != nullptr; }
  shared_job<map_job> shared() const { return job_; }

 private:
  void cancel() noexcept;

  shared_job<map_job> job_;
};

}  // namespace rankpool::detail
