// The SQLite database of a journal. A thread of its own writes to it, so that the pool does not wait for the disk.
#pragma once

#include "journal/schema.hpp"
#include "journal/tasks.hpp"

#include <rankpool/detail/journal/call_description.hpp>
#include <rankpool/errors.hpp>
#include <rankpool/journal.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace rankpool::detail {

struct journal_access {
  static const std::shared_ptr<journal_file>& get(const journal& j) { return j.file_; }
};

/// One open journal file. Thread safety: all members may be called from any thread.
class journal_file {
 public:
  /// Opens or creates the file. `calls`: the number of calls that this process has made with a file of that path so far.
  /// Throws: journal_error, without changing an existing file. Lifetime: `calls` must outlive the object.
  journal_file(std::filesystem::path file, const std::string& subject, std::atomic<std::int64_t>& calls);
  /// Writes the remaining entries and logs an error. Blocks: until they are written.
  ~journal_file();
  journal_file(const journal_file&) = delete;
  journal_file& operator=(const journal_file&) = delete;

  /// A chunk that has finished or failed, a change of a call's row, or a lost worker.
  struct entry {
    enum class kind : std::uint8_t { finished, failed, items, lost } what;
    std::int64_t call = 0;
    std::uint64_t first = 0;  ///< finished: the chunk's first item; failed: the item that failed
    std::uint64_t count = 0;  ///< items of the chunk; failed: of these, those that failed; items: of the call; lost: at the worker
    digest input = {};
    std::string text = {};  ///< finished: the encoded result; failed: the encoded exception; lost: how the worker has ended
    std::chrono::nanoseconds taken = {};
    int rank = -1;
    std::string host = {};
    double when = 0;  ///< seconds since 1 January 1970
  };

  /// Checks that the journal has this subject. Throws: journal_error.
  void expect_subject(const std::string& subject) const;
  /// Returns the id of the row of this run's next call, and creates the row if there is none. Throws: journal_error if the row
  /// belongs to another call.
  std::int64_t next_call(const call_row& row);
  /// Returns the record of the tasks of a function that this run submits. Throws: journal_error. Lifetime: that of this object.
  journal_tasks& tasks_of(const call_description& what);
  /// Returns the finished chunks of a call by their first items. Throws: journal_error.
  std::map<std::uint64_t, known_chunk> chunks_of(std::int64_t call);
  /// Returns the encoded result of a finished chunk. Throws: journal_error.
  std::string result_of(std::int64_t call, std::uint64_t first);
  /// Implements journal::recall() and journal::recalled().
  std::string recall(const std::string& name, const std::string& value);
  std::optional<std::string> recalled(const std::string& name);
  /// Returns whether writing failed and an exception has reported it.
  bool has_reported_failure() const;
  bool resumes() const { return resumes_; }
  std::uint64_t restored() const { return restored_; }
  void count_restored() { ++restored_; }
  /// Queues an entry for writing. Throws: journal_error if writing has failed.
  void add(entry e);
  /// Queues the entry of a lost worker for writing, or drops it if writing has failed.
  void add_loss(entry e);
  /// Commits all entries added so far. Throws: journal_error if writing has failed. Blocks: until they are on the disk.
  void commit();
  /// Throws a journal_error with the message "journal FILE `why`".
  [[noreturn]] void fail(const std::string& why) const;

 private:
  std::int64_t new_call(std::optional<std::int64_t> number, const call_row& row);
  void check(const std::string& subject);
  void run_writer();
  void write(std::vector<entry>& batch);
  void throw_if_failed();
  void queue(entry e);

  const std::filesystem::path path_;
  std::unique_ptr<SQLite::Database> database_;
  std::mutex database_mutex_;
  std::string subject_;
  bool resumes_ = false;
  std::atomic<std::uint64_t> restored_ = 0;
  std::mutex tasks_mutex_;
  std::map<std::pair<code_address, code_address>, journal_tasks> tasks_;  // by function and callable
  std::atomic<std::int64_t>& calls_;

  mutable std::mutex mutex_;
  std::condition_variable work_available_;  // wakes the writing thread
  std::condition_variable written_;         // wakes threads that wait for the writing thread
  std::vector<entry> pending_;
  std::size_t pending_bytes_ = 0;
  std::uint64_t added_ = 0;
  std::uint64_t committed_ = 0;
  int waiting_commits_ = 0;  // threads that wait in commit()
  bool closing_ = false;
  std::string failure_;
  bool failure_reported_ = false;  // by an exception
  std::thread writer_;
};

}  // namespace rankpool::detail
