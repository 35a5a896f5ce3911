// journal_reader: what is in a journal, for looking at it: while a run writes it, on another build, where it cannot be written.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
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

/// A journal as it is when this is made: reads a copy, in the folder for temporary files, and leaves the journal alone. All members
/// throw journal_error where what they read is damaged. One thread at a time.
class journal_reader {
 public:
  using seconds = std::chrono::duration<double>;
  using time_point = std::chrono::system_clock::time_point;

  struct call {
    std::int64_t id = 0;                 ///< counts from 1
    std::string name;                    ///< of its function
    std::optional<std::uint64_t> items;  ///< how many there are; none: the input has not come to its end
    std::uint64_t done = 0;              ///< of them
    std::uint64_t failed = 0;            ///< and have not succeeded since
    std::uint64_t pieces = 0;            ///< finished
    seconds total{};                     ///< the time that the finished pieces took
    seconds median{};
    seconds busy{};                   ///< from the first to the last of them, without pauses of more than a second
    std::optional<time_point> first;  ///< when a piece finished
    std::optional<time_point> last;
  };

  /// Consecutive items that ran as one.
  struct piece {
    std::int64_t call = 0;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    seconds taken{};
    int rank = -1;
    std::string host;
    time_point finished;
  };

  struct failure {
    std::int64_t call = 0;
    std::uint64_t item = 0;    ///< the first of its piece that failed
    std::uint64_t failed = 0;  ///< how many of the piece did
    std::string error;
    int rank = -1;
    std::string host;
    time_point when;
  };

  struct host {
    std::string name;
    std::uint64_t items = 0;
    std::uint64_t pieces = 0;
    std::uint64_t failed = 0;
    seconds total{};
  };

  /// What is known of the result of one item, or of a whole piece.
  struct result {
    std::uint64_t item = 0;
    std::optional<std::string_view> value;  ///< JSON; none: the type has no text, or the journal is of another build
    std::optional<std::size_t> bytes;       ///< how many encode it, where that is known
    const piece& from;
    bool of_piece = false;  ///< of all items of the piece: they were reduced
  };

  /// Throws journal_error: missing, not readable, no journal, damaged, of another format, or written faster than it can be copied.
  explicit journal_reader(const std::filesystem::path& file);
  ~journal_reader();
  journal_reader(journal_reader&&) noexcept;
  journal_reader& operator=(journal_reader&&) noexcept;

  const std::string& subject() const;
  const std::string& build() const;
  /// Whether it is this program that has written it: then there are values.
  bool is_of_this_build() const;

  std::vector<call> calls() const;
  std::vector<host> hosts() const;
  std::vector<piece> slowest(std::uint64_t most) const;
  /// In the order of calls and items; of one call, or of all.
  void for_each_failure(const std::function<void(const failure&)>& visit, std::optional<std::int64_t> of = std::nullopt) const;
  /// In the order of items. Holds one piece at a time.
  void for_each_result(std::int64_t call, const std::function<void(const result&)>& visit) const;
  /// Reads every byte and compares it with its checksum.
  void verify() const;

 private:
  std::unique_ptr<detail::journal_snapshot> journal_;
};

}  // namespace rankpool
