// journal_reader: reads the contents of a journal. The journal may be in use by a run, of another build, or not writable.
#pragma once

#include <rankpool/detail/codec/foreign_types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rankpool {

namespace detail {
class journal_snapshot;
}

/// A copy of a journal at the time of construction. It is made in the folder for temporary files; the journal itself is not
/// changed. Times are wall-clock times of rank 0; durations are in seconds.
/// Throws: journal_error, from every member that reads damaged data.
/// Thread safety: one thread at a time.
class journal_reader {
 public:
  using seconds = std::chrono::duration<double>;
  using time_point = std::chrono::system_clock::time_point;

  /// One map or reduction, or all submitted tasks of one function.
  struct call {
    std::int64_t id = 0;                 ///< number of the call; counts from 1
    std::string name;                    ///< name of its function
    std::optional<std::uint64_t> items;  ///< number of items; none: the input has not ended, or tasks are submitted
    std::uint64_t done = 0;              ///< items of the finished chunks
    std::uint64_t failed = 0;            ///< items that have failed and have not succeeded since
    std::uint64_t chunks = 0;            ///< chunks that have finished without a failed item
    seconds total{};                     ///< sum of the times of the finished chunks
    seconds median{};                    ///< median time of the finished chunks
    seconds busy{};                      ///< time from the first finished chunk to the last, without pauses of more than 1 s
    std::optional<time_point> first;     ///< when the first chunk finished; none: no chunk has finished
    std::optional<time_point> last;      ///< when the last chunk finished; none: no chunk has finished
  };

  /// Consecutive items that ran together.
  struct chunk {
    std::int64_t call = 0;    ///< call::id
    std::uint64_t first = 0;  ///< index of its first item, from 0
    std::uint64_t count = 0;  ///< number of its items
    seconds taken{};          ///< time that it ran
    int rank = -1;            ///< rank of the worker that ran it
    std::string host;         ///< host name of that worker
    time_point finished;      ///< when rank 0 got its result
  };

  /// The failed items of one chunk.
  struct failure {
    std::int64_t call = 0;     ///< call::id
    std::uint64_t item = 0;    ///< index of the first item that failed
    std::uint64_t failed = 0;  ///< number of items that failed
    std::string error;         ///< type and message of the first item's exception
    int rank = -1;             ///< rank of the worker that ran the chunk
    std::string host;          ///< host name of that worker
    time_point when;           ///< when rank 0 got the result
  };

  /// A worker that was lost while a run used the journal.
  struct loss {
    int rank = -1;            ///< its rank
    std::string host;         ///< its host name
    std::string cause;        ///< its end, such as "was ended by signal 11 (Segmentation fault)"
    std::uint64_t items = 0;  ///< items and tasks that it had not finished, also of calls that do not use the journal
    time_point when;          ///< when rank 0 noticed it
  };

  /// Totals of one host.
  struct host {
    std::string name;          ///< host name
    std::uint64_t items = 0;   ///< items that finished there
    std::uint64_t chunks = 0;  ///< chunks that finished there
    std::uint64_t failed = 0;  ///< items that failed there
    seconds total{};           ///< sum of the times of the finished chunks
  };

  /// The result of one item, or of a whole chunk of a reduction.
  struct result {
    std::uint64_t item = 0;                 ///< index of the item, or of the chunk's first item
    std::optional<std::string_view> value;  ///< JSON; none: the type has no text (register_result.hpp), or another build wrote it
    std::optional<std::size_t> bytes;       ///< size of the encoded value; none: the journal is of another build
    const chunk& from;                      ///< the chunk that the item was part of
    bool of_chunk = false;                  ///< true: the value belongs to all items of the chunk, because they were reduced
  };

  /// Copies and opens `file`, even while a run writes to it.
  /// Throws: journal_error if the file does not exist, cannot be read or copied, is not a journal, is empty, is damaged, or has
  /// another format; or if a run writes to it faster than it can be copied.
  /// Blocks: while it copies the file, in up to 20 attempts.
  explicit journal_reader(const std::string& file);
  template <detail::file_path Path>  // a std::filesystem::path
  explicit journal_reader(const Path& file) : journal_reader(file.native()) {}
  /// Deletes the copy.
  ~journal_reader();
  /// Takes over the copy of another reader, which is unusable afterwards.
  journal_reader(journal_reader&&) noexcept;
  journal_reader& operator=(journal_reader&&) noexcept;

  /// Returns the subject of the journal.
  const std::string& subject() const;

  /// Returns the build id of the program that wrote the journal.
  const std::string& build() const;

  /// Returns whether this build of the program wrote the journal. Otherwise results have no values.
  bool is_of_this_build() const;

  /// Returns all calls, in order of call::id.
  std::vector<call> calls() const;

  /// Returns the totals of each host, in order of host names.
  std::vector<host> hosts() const;

  /// Returns the lost workers, in the order of their losses.
  std::vector<loss> losses() const;

  /// Returns at most `most` chunks of all calls, in descending order of chunk::taken.
  std::vector<chunk> slowest(std::uint64_t most) const;

  /// Calls visit(f) for each failure, in the order of calls and items. `of` is the id of a call; none: all calls.
  /// Lifetime: the argument of `visit` is valid during the call of `visit`.
  void for_each_failure(const std::function<void(const failure&)>& visit, std::optional<std::int64_t> of = std::nullopt) const;

  /// Calls visit(r) for each result of the call with the id `call`, in the order of items. It holds one chunk at a time in memory.
  /// Throws: journal_error if the id is unknown.
  /// Lifetime: the argument of `visit` is valid during the call of `visit`.
  void for_each_result(std::int64_t call, const std::function<void(const result&)>& visit) const;

  /// Reads the whole journal and verifies every result against its checksum.
  /// Throws: journal_error if they differ.
  void verify() const;

 private:
  std::unique_ptr<detail::journal_snapshot> journal_;
};

}  // namespace rankpool
