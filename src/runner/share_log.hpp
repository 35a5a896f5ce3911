// The shared values that a worker has received, as a log in memory that its runner processes read.
//
// A runner reads the log before each batch, and while a task waits for a value. Large values are mapped from the process that has
// them, so runners do not copy them.
#pragma once

#include "runner/growing_memory.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>

namespace rankpool::detail {

/// Where a process gets a shared value.
struct share_source {
  std::uint64_t size = 0;
  std::int32_t pid = 0;          ///< 0: the log has the value itself, or the reason why it is missing
  std::int32_t descriptor = -1;  ///< in that process
};

/// The beginning of the memory.
struct share_log_head {
  std::atomic<std::uint32_t> edition = 0;  ///< odd while the log is rewritten; readers then start again
  std::atomic<std::uint64_t> end = 0;      ///< of the log, in bytes
};

/// The worker's end. Thread safety: one thread at a time may write; runners may read concurrently.
class share_log {
 public:
  share_log() : memory_("rankpool-shares") { write_head(); }

  int descriptor() const { return memory_.descriptor(); }
  /// Adds a value that this process has received. Throws: std::bad_alloc; error.
  void add(std::uint64_t id, const share_source& source);
  /// Removes a value. Rewrites the log if most of it is out of date.
  void remove(std::uint64_t id);

 private:
  void write_head();
  std::size_t append(std::uint64_t id, const share_source& source, bool is_removed);
  void rewrite();

  growing_memory memory_;
  struct value {
    share_source source;
    std::size_t bytes = 0;  // of its entry
  };
  std::map<std::uint64_t, value> values_;
  std::size_t live_bytes_ = 0;  // of the entries of values_
};

/// The runner's end. Thread safety: any thread may call pull().
class share_reader {
 public:
  /// Makes shared_data::find() read the log while it waits. Lifetime: `memory` must outlive the object. One object in a process.
  explicit share_reader(growing_memory& memory);
  share_reader(const share_reader&) = delete;
  share_reader& operator=(const share_reader&) = delete;
  ~share_reader();

  /// Reads what is new in the log: values become available to tasks, or are released.
  void pull();

 private:
  void forget_all_but(const std::set<std::uint64_t>& present);

  growing_memory& memory_;
  std::mutex mutex_;
  std::uint32_t edition_ = 0;
  std::uint64_t read_ = 0;
  std::set<std::uint64_t> known_;
};

}  // namespace rankpool::detail
