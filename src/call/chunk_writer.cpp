// Defines chunk_writer, which item_progress a thread has, and where it notes its item.
#include <rankpool/detail/call/chunk_writer.hpp>

#include "call/item_scope.hpp"

#include <rankpool/detail/codec/exception_codec.hpp>

namespace rankpool::detail {

item_progress* item_progress::current() noexcept { return current_progress; }

std::atomic<std::uint64_t>& item_note() noexcept {
  static thread_local std::atomic<std::uint64_t> unread;
  return current_item_note != nullptr ? *current_item_note : unread;
}

chunk_writer::chunk_writer(byte_writer& out) : out_(out), progress_(item_progress::current()), note_(item_note()) {
  if (progress_ == nullptr) {
    length_at_ = out_.hole<std::uint64_t>();
  } else {
    first_ = progress_->first_item();
  }
  begin_ = out_.at();
}

void chunk_writer::report(std::uint64_t item) {
  if (item > first_) hand_over(item);
  progress_->on_item();
}

// Passes on the outcomes since the last call, so that they survive the process.
void chunk_writer::hand_over(std::uint64_t next_item) {
  const std::span<const std::byte> all = out_.buffer();
  const std::span<const std::byte> results = all.subspan(begin_.bytes);
  const blocks_view out_of_band = out_.attached().subspan(begin_.attached);
  progress_->keep(results, out_of_band, failures_, failed_, next_item);
  out_.rewind(begin_);
  failures_.clear();
  failed_ = 0;
}

void chunk_writer::fail() {
  out_.rewind(mark_);
  byte_writer failures(failures_);
  failures.put<std::uint64_t>(item_);
  const std::size_t length = failures.hole<std::uint64_t>();
  encode_current_exception(failures);
  failures.patch<std::uint64_t>(length, failures.size() - length - sizeof(std::uint64_t));
  ++failed_;
}

void chunk_writer::finish() {
  if (progress_ != nullptr) {
    hand_over(item_ + 1);
    return;
  }
  out_.patch<std::uint64_t>(length_at_, out_.size() - begin_.bytes);
  out_.put<std::uint64_t>(failed_);
  out_.raw(failures_.data(), failures_.size());
}

void append_failure(byte_writer& failures, std::uint64_t item, std::span<const std::byte> exception) {
  failures.put<std::uint64_t>(item);
  failures.put<std::uint64_t>(exception.size());
  failures.raw(exception.data(), exception.size());
}

void write_chunk(byte_writer& out, std::span<const std::byte> results, std::span<const std::byte> failures, std::uint64_t failed) {
  out.put<std::uint64_t>(results.size());
  out.raw(results.data(), results.size());
  out.put<std::uint64_t>(failed);
  out.raw(failures.data(), failures.size());
}

}  // namespace rankpool::detail
