// Copies a journal and its write-ahead log consistently, also while a run writes to them.
#include "journal/snapshot.hpp"

#include <rankpool/errors.hpp>

#include <stdlib.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <system_error>
#include <thread>
#include <utility>

namespace rankpool::detail {
namespace {

namespace fs = std::filesystem;

constexpr int max_attempts = 20;
constexpr auto retry_interval = std::chrono::milliseconds(50);

/// A new folder, removed with its content when the object is destroyed.
class temporary_folder {
 public:
  temporary_folder() {
    std::string name = (fs::temp_directory_path() / "rankpool-journal-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw fs::filesystem_error("cannot create", name, {errno, std::generic_category()});
    path_ = name;
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder() {
    std::error_code none;
    fs::remove_all(path_, none);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

fs::path log_of(fs::path file) { return file += "-wal"; }

/// A state of the file that is equal before and after a consistent copy.
///
/// A write-ahead log only grows until it restarts with another header. Until then, everything that is transferred from the log into
/// the file also remains in the log. A copy of the file that is taken before a copy of the log is therefore consistent with it,
/// whatever a run writes meanwhile.
struct file_state {
  std::string log_head;
  std::uintmax_t size = 0;  // set only without a log
  fs::file_time_type written{};
  friend bool operator==(const file_state&, const file_state&) = default;
};

file_state state_of(const fs::path& file) {
  file_state now;
  char head[32];
  std::ifstream log(log_of(file), std::ios::binary);
  if (log.read(head, sizeof head)) {
    now.log_head.assign(head, sizeof head);
  } else {
    now.size = fs::file_size(file);
    now.written = fs::last_write_time(file);
  }
  return now;
}

void copy_writable(const fs::path& from, const fs::path& to) {
  fs::copy_file(from, to, fs::copy_options::overwrite_existing);
  fs::permissions(to, fs::perms::owner_read | fs::perms::owner_write);
}

}  // namespace

journal_snapshot::journal_snapshot(fs::path file) : path_(std::move(file)) {
  std::error_code none;
  const fs::file_status status = fs::status(path_, none);
  if (status.type() == fs::file_type::not_found) fail("does not exist");
  if (status.type() == fs::file_type::none) fail("cannot be read: " + none.message());
  if (status.type() != fs::file_type::regular) fail("is not a regular file");
  try {
    const temporary_folder folder;
    const fs::path copied_file = folder.path() / "journal";
    copy(copied_file);
    open(copied_file);  // the folder is removed on return; the open file stays usable
  } catch (const fs::filesystem_error& error) {
    if (error.path1() == path_ || error.path1() == log_of(path_)) fail("cannot be read or copied: " + error.code().message());
    fail("cannot be copied for reading: " + std::string(error.what()) + "; set TMPDIR to another folder");
  } catch (const SQLite::Exception& error) {
    fail(describe_error(error));
  }
}

void journal_snapshot::fail(const std::string& why) const { throw journal_error("journal '" + path_.string() + "' " + why); }

void journal_snapshot::copy(const fs::path& to) const {
  for (int attempt = 0; attempt < max_attempts; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(retry_interval);
    try {
      const file_state before = state_of(path_);
      copy_writable(path_, to);
      if (before.log_head.empty()) {
        fs::remove(log_of(to));  // left by a previous attempt
      } else {
        copy_writable(log_of(path_), log_of(to));
      }
      if (state_of(path_) == before) return;
    } catch (const fs::filesystem_error& error) {
      if (error.code() != std::errc::no_such_file_or_directory) throw;  // the log was removed because the run has just ended
    }
  }
  fail("changes faster than it can be copied; try again, or after the run has ended");
}

void journal_snapshot::open(const fs::path& copy) {
  database_ = std::make_unique<SQLite::Database>(copy.string(), SQLite::OPEN_READWRITE);
  database_->exec("PRAGMA locking_mode = EXCLUSIVE");           // no shared memory file beside it
  (void)database_->execAndGet("PRAGMA journal_mode = DELETE");  // merges the log into it
  if (is_blank(*database_)) fail("is empty: no run has begun it");
  if (const std::string fault = find_fault(*database_); !fault.empty()) fail(fault);
  subject_ = value_of(*database_, "subject");
  build_ = value_of(*database_, "build");
}

}  // namespace rankpool::detail
