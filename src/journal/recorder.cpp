#include "journal/recorder.hpp"

#include <utility>

namespace rankpool::detail {
namespace {

// Returns the digest of the items that `write` writes into `bytes`.
template <class Write>
digest digest_of_items(byte_buffer& bytes, Write write) {
  shared_references references;
  bytes.clear();
  byte_writer out(bytes, nullptr, &references);
  write(out);
  return digest_of(bytes, {}, references);
}

digest cut_and_digest_again(item_source& items, byte_buffer& bytes, std::uint64_t first, std::uint64_t count) {
  return digest_of_items(bytes, [&](byte_writer& out) { items.cut_again(out, first, count); });
}

}  // namespace

void call_recorder::release() {
  std::shared_ptr<journal_call> closed;  // destroyed after the lock is released, because it may write
  const std::lock_guard lock(mutex_);
  is_released_ = true;
  if (at_workers_.empty()) closed.swap(call_);
}

void call_recorder::on_cut(std::uint64_t first, const digest& input) {
  const std::lock_guard lock(mutex_);
  inputs_[first] = input;
  at_workers_.insert(first);
}

void call_recorder::on_divided(std::uint64_t first, const digest& input) {
  const std::lock_guard lock(mutex_);
  inputs_[first] = input;
}

void call_recorder::on_sent(const observed_chunk& chunk) {
  const std::lock_guard lock(mutex_);
  at_workers_.insert(chunk.first);
}

void call_recorder::on_recalled(const observed_chunk& chunk) { leave(chunk.first); }

void call_recorder::on_abandoned(const observed_chunk& chunk) { leave(chunk.first); }

void call_recorder::on_finished(const observed_chunk& chunk, outcome& result) {
  std::shared_ptr<journal_call> call;
  digest input{};
  {
    const std::lock_guard lock(mutex_);
    call = call_;
    input = inputs_.extract(chunk.first).mapped();
  }
  if (call != nullptr) {
    try {
      call->note(chunk.first, chunk.count, input, result);
    } catch (...) {  // usually journal_error or std::bad_alloc
      result = {};
      result.error = std::current_exception();
      on_failure(result.error);
    }
  }
  leave(chunk.first);
}

// No worker holds the chunk any more.
void call_recorder::leave(std::uint64_t first) {
  std::shared_ptr<journal_call> closed;  // as in release()
  const std::lock_guard lock(mutex_);
  at_workers_.erase(first);
  if (is_released_ && at_workers_.empty()) closed.swap(call_);
}

void recorded_source::cut(byte_writer& out, std::uint64_t first, std::uint64_t count) {
  byte_buffer items;
  recorder_.on_cut(first, cut_and_digest(*items_, items, first, count));
  out.raw(items.data(), items.size());
}

void recorded_source::cut_again(byte_writer& out, std::uint64_t first, std::uint64_t count) {
  byte_buffer items;
  recorder_.on_cut(first, cut_and_digest_again(*items_, items, first, count));
  out.raw(items.data(), items.size());
}

void recorded_source::divide(std::uint64_t first, std::uint64_t count) {
  items_->divide(first, count);
  byte_buffer items;
  recorder_.on_divided(first, cut_and_digest_again(*items_, items, first, count));
}

digest cut_and_digest(item_source& items, byte_buffer& bytes, std::uint64_t first, std::uint64_t count) {
  return digest_of_items(bytes, [&](byte_writer& out) { items.cut(out, first, count); });
}

}  // namespace rankpool::detail
