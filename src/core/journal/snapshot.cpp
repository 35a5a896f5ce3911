#include "snapshot.hpp"

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

constexpr int most_attempts = 20;
constexpr auto pause = std::chrono::milliseconds(50);

/// A folder of its own, with all that is in it.
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

/// What is the same before and after a copy that is good. While there is a write-ahead log, it only grows, and all that goes from
/// it into the file is still in it, until it begins anew with another head. So a file copied before its log is whole with it,
/// whatever was written meanwhile.
struct file_state {
  std::string log_head;
  std::uintmax_t size = 0;  // without a log
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
  if (status.type() != fs::file_type::regular) fail("is no file, and so no journal");
  try {
    const temporary_folder folder;
    const fs::path mine = folder.path() / "journal";
    copy(mine);
    open(mine);  // and the folder goes: what is open stays
  } catch (const fs::filesystem_error& error) {
    if (error.path1() == path_ || error.path1() == log_of(path_)) fail("cannot be read or copied: " + error.code().message());
    fail("cannot be copied for reading: " + std::string(error.what()) + "; TMPDIR names another folder for it");
  } catch (const SQLite::Exception& error) {
    fail(reason(error));
  }
}

void journal_snapshot::fail(const std::string& why) const { throw journal_error("journal " + path_.string() + " " + why); }

void journal_snapshot::copy(const fs::path& to) const {
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(pause);
    try {
      const file_state before = state_of(path_);
      copy_writable(path_, to);
      if (before.log_head.empty()) {
        fs::remove(log_of(to));  // of an attempt before
      } else {
        copy_writable(log_of(path_), log_of(to));
      }
      if (state_of(path_) == before) return;
    } catch (const fs::filesystem_error& error) {
      if (error.code() != std::errc::no_such_file_or_directory) throw;  // the log has gone: the run has just ended
    }
  }
  fail("is written faster than it can be copied: try again, or when the run is over");
}

void journal_snapshot::open(const fs::path& copy) {
  database_ = std::make_unique<SQLite::Database>(copy.string(), SQLite::OPEN_READWRITE);
  database_->exec("PRAGMA locking_mode = EXCLUSIVE");           // no memory beside it for others
  (void)database_->execAndGet("PRAGMA journal_mode = DELETE");  // the log goes into it
  if (never_begun(*database_)) fail("is empty: no run has begun it");
  if (const std::string fault = fault_in(*database_); !fault.empty()) fail(fault);
  subject_ = text_of(*database_, "subject");
  build_ = text_of(*database_, "build");
}

}  // namespace rankpool::detail
