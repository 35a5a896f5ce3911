// A private, consistent copy of a journal, taken also while a run has the file open.
#pragma once

#include "journal/schema.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <memory>
#include <string>

namespace rankpool::detail {

/// A read-only view of a journal at one point in time.
class journal_snapshot {
 public:
  /// Copies and opens the journal. Throws: journal_error.
  explicit journal_snapshot(std::filesystem::path file);

  SQLite::Database& database() const { return *database_; }
  const std::string& subject() const { return subject_; }
  const std::string& build() const { return build_; }
  /// Throws a journal_error with the message "journal FILE `why`".
  [[noreturn]] void fail(const std::string& why) const;

 private:
  void copy(const std::filesystem::path& to) const;
  void open(const std::filesystem::path& copy);

  const std::filesystem::path path_;
  std::unique_ptr<SQLite::Database> database_;
  std::string subject_;
  std::string build_;
};

}  // namespace rankpool::detail
