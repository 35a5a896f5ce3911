// What a journal knows of one map or reduction from earlier runs, and is told of it in this one.
#pragma once

#include <rankpool/detail/digest.hpp>
#include <rankpool/detail/job.hpp>

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

/// Reads one result and appends its JSON text; false if it has none. Throws serialization_error.
using result_printer = bool (*)(byte_reader& in, std::string& out);

/// What a call runs.
struct call_description {
  task_function function;
  std::uintptr_t identity;  ///< tells callables apart that share a function
  const std::type_info& callable;
  bool by_items;  ///< a piece has an outcome for each item, else one in all
  result_printer print = nullptr;
};

/// Tells calls apart: their functions, and `head`, what is bound to them.
digest identity_of(const call_description& what, std::span<const std::byte> head = {}, const keepers& shared = {});

/// One call of a run. From any thread but for `known`.
class journal_call {
 public:
  struct known_piece {
    std::uint64_t count = 0;
    digest input{};
  };

  /// `head`: the encoded callables, with what is bound to them, and the shared values that it refers to. Null without a journal.
  /// Throws journal_error.
  static std::shared_ptr<journal_call> begin(const journal& in, const call_description& what, std::span<const std::byte> head,
                                             const keepers& shared);

  /// What earlier runs have finished, by the first item. The job's own.
  std::map<std::uint64_t, known_piece> known;

  /// The result of a known piece, also once it is taken over. Throws journal_error.
  outcome load(std::uint64_t first) const;
  /// A known piece counts as finished in this run.
  void take_over(std::uint64_t first);
  /// A piece is over; nothing happens if it did not run. What has failed is noted as such.
  void note(std::uint64_t first, std::uint64_t count, const digest& input, const outcome& result);
  /// A known piece is cut otherwise in this run.
  void forget(std::uint64_t first);
  /// How many items the call has so far.
  void note_items(std::uint64_t items);
  /// Blocks until all that was noted is in the file. Throws journal_error.
  void commit();
  /// What a call with another input gets.
  std::exception_ptr mismatch(const std::string& why) const;

 private:
  journal_call(std::shared_ptr<journal_file> file, std::int64_t id, bool by_items)
      : file_(std::move(file)), id_(id), by_items_(by_items) {}

  std::shared_ptr<journal_file> file_;
  const std::int64_t id_;
  const bool by_items_;
};

}  // namespace rankpool::detail
