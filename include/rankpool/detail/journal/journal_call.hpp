// One map or reduction in a journal: the chunks that earlier runs have finished, and the record of this run.
#pragma once

#include <rankpool/detail/scheduler/job.hpp>
#include <rankpool/detail/wire/digest.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <typeinfo>

namespace rankpool {
class journal;
}

namespace rankpool::detail {

class journal_file;

/// What a call runs.
struct call_description {
  code_address function;    ///< a task_function
  std::uintptr_t identity;  ///< distinguishes callables that share a task_function
  const std::type_info& callable;
  const std::type_info& result;  ///< of an item, or of a chunk that has one result
  bool by_items;                 ///< a chunk has one result for each item, otherwise one for the whole chunk
};

/// One call of a run. Thread safety: all members except `known` may be used from any thread.
class journal_call {
 public:
  struct known_chunk {
    std::uint64_t count = 0;
    digest input{};
  };

  /// Finds or creates the call in a journal; returns null without a journal. `head`: the encoded callables with their bound
  /// arguments. `shared`: the shared values that `head` refers to. Throws: journal_error.
  static std::shared_ptr<journal_call> begin(const journal& in, const call_description& what, std::span<const std::byte> head,
                                             const keepers& shared);

  /// The chunks that earlier runs have finished and this run has not yet restored, by their first items. Only the job uses it.
  std::map<std::uint64_t, known_chunk> known;

  /// Loads the result of a finished chunk, before or after it is restored. Throws: journal_error.
  outcome load(std::uint64_t first) const;
  /// Removes a chunk from `known` and counts it as restored.
  void restore(std::uint64_t first);
  /// Records that a chunk has finished or failed. Does nothing if it did not run. Throws: journal_error.
  void note(std::uint64_t first, std::uint64_t count, const digest& input, const outcome& result);
  /// Removes a chunk from `known` and from the file, because this run uses other chunk boundaries.
  void forget(std::uint64_t first);
  /// Records how many items the call has so far. Throws: journal_error.
  void note_items(std::uint64_t items);
  /// Commits all records. Throws: journal_error. Blocks: until they are in the file.
  void commit();
  /// Returns the error of a call whose input differs from the journal's.
  std::exception_ptr mismatch(const std::string& why) const;

 private:
  journal_call(std::shared_ptr<journal_file> file, std::int64_t id, bool by_items)
      : file_(std::move(file)), id_(id), by_items_(by_items) {}

  std::shared_ptr<journal_file> file_;
  const std::int64_t id_;
  const bool by_items_;
};

}  // namespace rankpool::detail
