// The SQLite database of a journal: opened, checked, read, and written by a thread of its own, so that the pool does not wait
// for a disk.
#pragma once

#include "schema.hpp"
#include "tasks.hpp"

#include <rankpool/detail/journal_call.hpp>
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

class journal_file {
 public:
  /// `calls`: how many calls this process has kept in a file of that path so far; outlives this.
  /// Throws journal_error; a file that is refused is left as it was.
  journal_file(std::filesystem::path file, const std::string& subject, std::atomic<std::int64_t>& calls);
  /// Writes what is still to be written. An error is logged.
  ~journal_file();
  journal_file(const journal_file&) = delete;
  journal_file& operator=(const journal_file&) = delete;

  /// A piece that has ended, or a change of what is known of a call.
  struct entry {
    enum class kind : std::uint8_t { finished, failed, forgotten, items } what;
    std::int64_t call = 0;
    std::uint64_t first = 0;  ///< failed: the item
    std::uint64_t count = 0;  ///< failed: how many of its piece have
    digest input = {};
    std::string text = {};  ///< finished: the encoded result; failed: the encoded exception
    std::chrono::nanoseconds taken = {};
    int rank = -1;
    std::string host = {};
    double when = 0;  ///< seconds since 1970
  };

  /// Throws journal_error if the subject is another one.
  void expect_subject(const std::string& subject) const;
  /// The row of this run's next call, made if there is none. Throws journal_error if it is another call's.
  std::int64_t next_call(const call_row& row);
  /// The tasks that this run submits of a function. Throws journal_error.
  journal_tasks& tasks_of(const call_description& what);
  std::map<std::uint64_t, journal_call::known_piece> pieces_of(std::int64_t call);
  std::string result_of(std::int64_t call, std::uint64_t first);
  /// As journal has them.
  std::string recall(const std::string& name, const std::string& value);
  std::optional<std::string> recalled(const std::string& name);
  /// Whether somebody knows that writing has failed.
  bool has_told_failure() const;
  bool resumes() const { return resumes_; }
  std::uint64_t taken_over() const { return taken_over_; }
  void count_taken_over() { ++taken_over_; }
  /// To be written soon. Waits while very much is waiting. Throws journal_error once nothing can be written any more.
  void add(entry e);
  /// Blocks until all that was added is on the disk. Throws likewise.
  void commit();
  [[noreturn]] void fail(const std::string& why) const;

 private:
  std::int64_t new_call(std::optional<std::int64_t> number, const call_row& row);
  void check(const std::string& subject);
  void write_on();
  void write(std::vector<entry>& batch);
  void throw_if_failed();

  const std::filesystem::path path_;
  std::unique_ptr<SQLite::Database> database_;
  std::mutex database_mutex_;
  std::string subject_;
  bool resumes_ = false;
  std::atomic<std::uint64_t> taken_over_ = 0;
  std::mutex tasks_mutex_;
  std::map<std::pair<task_function, std::uintptr_t>, journal_tasks> tasks_;  // by what tells functions apart
  std::atomic<std::int64_t>& calls_;

  mutable std::mutex mutex_;
  std::condition_variable news_;     // for the writing thread
  std::condition_variable written_;  // for those who wait for it
  std::vector<entry> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t added_ = 0;
  std::uint64_t committed_ = 0;
  int hurried_ = 0;  // threads that wait
  bool leaving_ = false;
  std::string failure_;
  bool told_ = false;  // to somebody, by an exception
  std::thread writer_;
};

}  // namespace rankpool::detail
