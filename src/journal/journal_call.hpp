// One map or reduction in a journal: the chunks that earlier runs have finished, and the record of this run.
#pragma once

#include "journal/schema.hpp"

#include <rankpool/detail/journal/call_description.hpp>
#include <rankpool/detail/scheduler/job.hpp>
#include <rankpool/detail/wire/bytes.hpp>
#include <rankpool/detail/wire/digest.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <span>
#include <string>

namespace rankpool {
class journal;
}

namespace rankpool::detail {

class journal_file;

/// The record of one call. Thread safety: all members may be called from any thread.
class journal_call {
 public:
  /// Finds or creates the call in a journal; returns null without a journal. `head`: the encoded callables with their bound
  /// arguments. `references`: of `head`. Throws: journal_error.
  static std::shared_ptr<journal_call> begin(const journal& in, const call_description& what, std::span<const std::byte> head,
                                             std::span<const shared_reference> references);

  /// Returns the chunks that earlier runs have finished, by their first items. Throws: journal_error.
  std::map<std::uint64_t, known_chunk> known_chunks() const;
  /// Counts a chunk as restored.
  void count_restored();
  /// Loads the outcome of a finished chunk. Throws: journal_error.
  outcome load(std::uint64_t first) const;
  /// Records that a chunk has finished or failed. Does nothing if it did not run. A finished chunk replaces those of earlier runs
  /// that it overlaps. Throws: journal_error.
  void note(std::uint64_t first, std::uint64_t count, const digest& input, const outcome& result);
  /// Records how many items the call has so far. Throws: journal_error.
  void note_items(std::uint64_t items);
  /// Commits all records. Throws: journal_error. Blocks: until they are in the file.
  void commit();
  /// Returns the error of a call whose input differs from the journal's.
  std::exception_ptr mismatch(const std::string& why) const;

 private:
  journal_call(std::shared_ptr<journal_file> file, std::int64_t id, bool by_items)
      : file_(std::move(file)), id_(id), by_items_(by_items) {}

  const std::shared_ptr<journal_file> file_;
  const std::int64_t id_;
  const bool by_items_;
};

}  // namespace rankpool::detail
