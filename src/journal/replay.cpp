#include "journal/replay.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

namespace rankpool::detail {

map_call_ptr replay::of(resumable_map_call_ptr rest, std::shared_ptr<journal_call> call, std::unique_ptr<item_source> encoder,
                        call_recorder& recorder) {
  return map_call_ptr(new replay(std::move(rest), std::move(call), std::move(encoder), recorder));
}

replay::replay(resumable_map_call_ptr rest, std::shared_ptr<journal_call> call, std::unique_ptr<item_source> encoder,
               call_recorder& recorder)
    : rest_(std::move(rest)),
      call_(std::move(call)),
      encoder_(std::move(encoder)),
      recorder_(recorder),
      known_(call_->known_chunks()) {}

// ---- input

void replay::add(item_batch items, bool is_full) {
  std::uint64_t at = 0;  // items of the batch that were passed on or held
  while (!known_.empty() && at < items.count) {
    const auto [first, chunk] = *known_.begin();
    const std::uint64_t left = items.count - at;
    if (added() < first) {
      const std::uint64_t before = first - added();
      const std::uint64_t count = std::min(left, before);
      rest_->add(part_of(items, at, count), count == before || is_full);  // no chunk extends into a known one
      at += count;
    } else {
      const std::uint64_t count = std::min(left, chunk.count - held_count_);
      hold(part_of(items, at, count));
      at += count;
      if (held_count_ == chunk.count) restore_held();
    }
  }
  if (at == items.count && at > 0) return;
  rest_->add(at == 0 ? std::move(items) : part_of(items, at, items.count - at), is_full);
}

void replay::hold(item_batch items) {
  held_count_ += items.count;
  held_.push_back(std::move(items));
}

// The held items are as many as those of the first known chunk. If they are equal, the chunk needs not run.
void replay::restore_held() {
  const auto [first, chunk] = *known_.begin();
  for (item_batch& items : held_) encoder_->append(std::move(items));
  held_.clear();
  held_count_ = 0;
  byte_buffer bytes;
  finished_chunk whole{first, chunk.count, {}};
  if (cut_and_digest(*encoder_, bytes, first, chunk.count) == chunk.input) {
    known_.erase(known_.begin());
    call_->count_restored();
    restored_.insert(first);
    rest_->add_finished(std::move(whole));
  } else {
    whole.result.error = call_->mismatch("items " + std::to_string(first) + " to " + std::to_string(first + chunk.count - 1) +
                                         " are not those whose results it has");
    const std::exception_ptr why = whole.result.error;
    rest_->add_finished(std::move(whole));
    refuse(why);
  }
}

// Passes the held items on, so that they run, or fail if the call was cancelled.
void replay::pass_on_held() {
  while (!held_.empty()) {
    const std::uint64_t count = held_.front().count;
    rest_->add(std::move(held_.front()), held_.size() == 1);
    held_.pop_front();
    held_count_ -= count;
  }
}

// The input is not that of the earlier run.
void replay::refuse(const std::exception_ptr& mismatch) {
  known_.clear();
  rest_->cancel(mismatch);
  pass_on_held();
}

void replay::end_input() {
  const std::uint64_t items = added();
  if (!known_.empty() && !is_sealed()) {
    const auto& [first, chunk] = *known_.rbegin();
    refuse(call_->mismatch("there are " + std::to_string(items) + " items, and it has results up to item " +
                           std::to_string(first + chunk.count - 1)));
    return;
  }
  rest_->end_input();
  call_->note_items(items);
  if (taken_ == items) call_->commit();  // else take() commits with the last chunk
}

// ---- results

std::optional<finished_chunk> replay::take(std::optional<std::uint64_t> wanted, steady_time deadline) {
  if (held_count_ > 0 && taken_ == rest_->added()) {  // the caller adds no more items before it has results of the held ones
    if (!known_.empty()) known_.erase(known_.begin());
    pass_on_held();
  }
  auto chunk = rest_->take(wanted, deadline);
  if (!chunk) return chunk;
  taken_ += chunk->count;
  try {
    if (restored_.erase(chunk->first) > 0) chunk->result = call_->load(chunk->first);
    const bool is_last = is_sealed() && taken_ == added();
    if (is_last && chunk->result.what != outcome::kind::not_run) call_->commit();
  } catch (...) {  // usually journal_error or std::bad_alloc
    chunk->result = {};
    chunk->result.error = std::current_exception();
  }
  return chunk;
}

void replay::cancel(const std::exception_ptr& why) {
  known_.clear();
  rest_->cancel(why);
  pass_on_held();
}

void replay::drop() noexcept {
  try {
    rest_->cancel(nullptr);
  } catch (...) {
    // Out of memory. The remaining items run, and nobody takes their results.
  }
  recorder_.release();
  delete this;
}

}  // namespace rankpool::detail
