// Resumes a map or reduction from a journal: restores the chunks that an earlier run has finished, and passes on the other items.
#pragma once

#include "journal/journal_call.hpp"
#include "journal/recorder.hpp"

#include <rankpool/detail/map/item_source.hpp>
#include <rankpool/detail/map/map_call.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>

namespace rankpool::detail {

/// A call in front of another, `rest`, which runs the items that are not in the journal.
///
/// Items are compared by digest with those of the finished chunk at the same position. They are held back until the chunk is
/// complete. Results are loaded when the caller takes them.
class replay final : public map_call {
 public:
  /// `encoder`: an empty source for items of the same kind. `recorder`: the observer of `rest`. Throws: journal_error.
  static map_call_ptr of(resumable_map_call_ptr rest, std::shared_ptr<journal_call> call, std::unique_ptr<item_source> encoder,
                         call_recorder& recorder);

  bool needs_every_reference() const override { return true; }
  void add(item_batch items, bool is_full) override;
  void end_input() override;
  void stop_input() override { rest_->stop_input(); }
  bool is_sealed() const override { return rest_->is_sealed(); }
  std::exception_ptr refusal() const override { return rest_->refusal(); }
  std::uint64_t added() const override { return rest_->added() + held_count_; }
  std::optional<finished_chunk> take(std::optional<std::uint64_t> wanted, steady_time deadline) override;
  void cancel(const std::exception_ptr& why) override;
  void drop() noexcept override;

 private:
  replay(resumable_map_call_ptr rest, std::shared_ptr<journal_call> call, std::unique_ptr<item_source> encoder,
         call_recorder& recorder);
  ~replay() = default;

  void hold(item_batch items);
  void restore_held();
  void pass_on_held();
  void refuse(const std::exception_ptr& mismatch);

  resumable_map_call_ptr rest_;
  std::shared_ptr<journal_call> call_;
  std::unique_ptr<item_source> encoder_;
  call_recorder& recorder_;                     // owned by the job behind rest_
  std::map<std::uint64_t, known_chunk> known_;  // not reached by the input yet, or not complete
  std::deque<item_batch> held_;                 // the items of the first known chunk that were added so far
  std::uint64_t held_count_ = 0;
  std::set<std::uint64_t> restored_;  // first items of restored chunks that were not taken
  std::uint64_t taken_ = 0;           // items
};

}  // namespace rankpool::detail
