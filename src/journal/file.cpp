// Opens and checks a journal's database, finds the rows of a run's calls, and writes entries in batches.
#include "journal/file.hpp"
#include "journal/call_identity.hpp"

#include "journal/open_journals.hpp"
#include "journal/results.hpp"
#include "support/function_name.hpp"
#include "support/log.hpp"

#include <rankpool/detail/codec/exception_codec.hpp>
#include <rankpool/detail/wire/code_address.hpp>

#include <sqlite3.h>

#include <set>
#include <utility>

namespace rankpool::detail {
namespace {

constexpr auto batch_interval = std::chrono::milliseconds(500);  // a crash loses at most this and the time of one commit
constexpr std::size_t max_pending_bytes = std::size_t{256} << 20;
constexpr int lock_timeout_ms = 3000;  // a previous run may be just about to close the file

std::atomic<std::size_t> unwritten_bytes = 0;  // of all journals of this process

std::mutex open_files_mutex;  // held for short times only, because the thread that drives the pool waits for it
std::set<journal_file*> open_files;

std::string description_of(const journal_file::entry& failed) {
  byte_reader in(reinterpret_cast<const std::byte*>(failed.text.data()), failed.text.size());
  try {
    return describe(decode_exception(in, {.rank = failed.rank, .host = failed.host}, failed.first));
  } catch (const std::exception& e) {
    return std::string("an error that cannot be decoded: ") + e.what();
  }
}

}  // namespace

void record_loss(const worker_place& where, const std::string& cause, std::uint64_t tasks) {
  const std::lock_guard lock(open_files_mutex);
  for (journal_file* const file : open_files) file->add_loss(loss_entry(where, cause, tasks));
}

bool journals_keep_up() { return unwritten_bytes < max_pending_bytes; }

journal_file::journal_file(std::filesystem::path file, const std::string& subject, std::atomic<std::int64_t>& calls)
    : path_(std::move(file)), calls_(calls) {
  try {
    std::error_code none;
    const bool exists = std::filesystem::exists(path_, none);
    database_ = std::make_unique<SQLite::Database>(path_.string(), SQLite::OPEN_READWRITE | (exists ? 0 : SQLite::OPEN_CREATE),
                                                   lock_timeout_ms);
    if (sqlite3_db_readonly(database_->getHandle(), "main") == 1) fail("cannot be written: it is read-only");
    database_->exec("PRAGMA locking_mode = EXCLUSIVE");  // needs no shared memory, so it works on network file systems
    const bool is_new = is_blank(*database_);
    if (!is_new) check(subject);
    database_->exec("PRAGMA journal_mode = WAL");
    database_->exec("PRAGMA synchronous = FULL");
    database_->exec("BEGIN IMMEDIATE; COMMIT");  // takes the lock and keeps it
    if (is_new) create_journal(*database_, subject);
    resumes_ = !is_new;
    subject_ = subject;
  } catch (const SQLite::Exception& error) {
    fail(describe_error(error));
  }
  writer_ = std::thread([this] { run_writer(); });
  const std::lock_guard lock(open_files_mutex);
  open_files.insert(this);
}

journal_file::~journal_file() {
  {
    const std::lock_guard lock(open_files_mutex);
    open_files.erase(this);
  }
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  work_available_.notify_one();
  writer_.join();
}

void journal_file::fail(const std::string& why) const { throw journal_error("journal '" + path_.string() + "' " + why); }

// Checks an existing journal completely before anything is written to it.
void journal_file::check(const std::string& subject) {
  if (const std::string fault = find_fault(*database_); !fault.empty()) fail(fault);
  subject_ = value_of(*database_, "subject");
  expect_subject(subject);
  if (const std::string build = value_of(*database_, "build"); build != program_build_id()) {
    fail("was written by another build of the program (" + build.substr(0, 12) + "..., this is " +
         program_build_id().substr(0, 12) + "...); run that build, or start a new journal");
  }
  if (const std::string fault = find_fault_in_results(*database_); !fault.empty()) fail(fault);
}

void journal_file::expect_subject(const std::string& subject) const {
  if (subject == subject_) return;
  const auto named = [](const std::string& s) { return s.empty() ? std::string("a run without a subject") : "'" + s + "'"; };
  fail("belongs to another run: it was created for " + named(subject_) + ", not for " + named(subject));
}

std::int64_t journal_file::next_call(const call_row& row) {
  const std::int64_t number = ++calls_;
  try {
    const std::lock_guard lock(database_mutex_);
    SQLite::Statement query(*database_, "SELECT id, identity, name FROM calls WHERE number = ?");
    query.bind(1, number);
    if (query.executeStep()) {
      if (digest_in(query.getColumn(1)) != row.identity) {
        fail("does not match this run: call " + std::to_string(number) + " is '" + short_name(row.name) +
             "', but the journal has results of '" + short_name(query.getColumn(2).getString()) +
             "'; the function or its bound arguments differ");
      }
      return query.getColumn(0).getInt64();
    }
    return new_call(number, row);
  } catch (const SQLite::Exception& error) {
    fail(describe_error(error));
  }
}

// `number`: none for submitted tasks, because they have no fixed order.
std::int64_t journal_file::new_call(std::optional<std::int64_t> number, const call_row& row) {
  SQLite::Statement put(*database_,
                        "INSERT INTO calls(number, identity, name, by_items, printer, checksum) VALUES(?, ?, ?, ?, ?, ?)");
  if (number) put.bind(1, *number);
  bind_digest(put, 2, row.identity);
  put.bind(3, row.name);
  put.bind(4, static_cast<int>(row.by_items));
  bind_address(put, 5, row.printer);
  bind_digest(put, 6, checksum_of(row));
  put.exec();
  return database_->getLastInsertRowid();
}

journal_tasks& journal_file::tasks_of(const call_description& what) {
  const std::lock_guard submitting(tasks_mutex_);
  const std::pair key(what.function, locate_identity(what));
  const auto found = tasks_.find(key);
  if (found != tasks_.end()) return found->second;
  try {
    const digest identity = identity_of(what);
    std::int64_t call = 0;
    {
      const std::lock_guard lock(database_mutex_);
      SQLite::Statement query(*database_, "SELECT id FROM calls WHERE number IS NULL AND identity = ?");
      bind_digest(query, 1, identity);
      if (query.executeStep()) {
        call = query.getColumn(0).getInt64();
        SQLite::Statement forget(*database_, "DELETE FROM failures WHERE call = ?");  // failed tasks run again under new numbers
        forget.bind(1, call);
        forget.exec();
      } else {
        call = new_call(std::nullopt, row_of(what, identity));
      }
    }
    return tasks_.try_emplace(key, *this, call).first->second;
  } catch (const SQLite::Exception& error) {
    fail(describe_error(error));
  }
}

std::string journal_file::recall(const std::string& name, const std::string& value) {
  try {
    const std::lock_guard lock(database_mutex_);
    SQLite::Statement put(*database_, "INSERT OR IGNORE INTO decisions VALUES(?, ?)");
    put.bind(1, name);
    put.bind(2, value);
    put.exec();
  } catch (const SQLite::Exception& error) {
    fail(describe_error(error));
  }
  auto stored = recalled(name);
  if (!stored) fail("lacks the decision '" + name + "'");
  return std::move(*stored);
}

std::optional<std::string> journal_file::recalled(const std::string& name) {
  try {
    const std::lock_guard lock(database_mutex_);
    SQLite::Statement query(*database_, "SELECT value FROM decisions WHERE name = ?");
    query.bind(1, name);
    if (!query.executeStep()) return std::nullopt;
    return query.getColumn(0).getString();
  } catch (const SQLite::Exception& error) {
    fail(describe_error(error));
  }
}

std::map<std::uint64_t, known_chunk> journal_file::chunks_of(std::int64_t call) {
  try {
    const std::lock_guard lock(database_mutex_);
    std::map<std::uint64_t, known_chunk> chunks;
    SQLite::Statement query(*database_, "SELECT first, count, input FROM chunks WHERE call = ? ORDER BY first");
    query.bind(1, call);
    while (query.executeStep()) {
      chunks.emplace_hint(chunks.end(), static_cast<std::uint64_t>(query.getColumn(0).getInt64()),
                          known_chunk{static_cast<std::uint64_t>(query.getColumn(1).getInt64()), digest_in(query.getColumn(2))});
    }
    return chunks;
  } catch (const SQLite::Exception& error) {
    fail(describe_error(error));
  }
}

std::string journal_file::result_of(std::int64_t call, std::uint64_t first) {
  try {
    const std::lock_guard lock(database_mutex_);
    SQLite::Statement query(*database_, "SELECT result FROM chunks WHERE call = ? AND first = ?");
    query.bind(1, call);
    query.bind(2, static_cast<std::int64_t>(first));
    if (!query.executeStep()) fail("lacks the result of item " + std::to_string(first));
    const auto bytes = bytes_in(query.getColumn(0));
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  } catch (const SQLite::Exception& error) {
    fail(describe_error(error));
  }
}

// ---- writing

void journal_file::throw_if_failed() {
  if (failure_.empty()) return;
  failure_reported_ = true;
  fail(failure_);
}

bool journal_file::has_reported_failure() const {
  const std::lock_guard lock(mutex_);
  return failure_reported_;
}

void journal_file::add(entry e) {
  const std::lock_guard lock(mutex_);
  throw_if_failed();
  queue(std::move(e));
}

void journal_file::add_loss(entry e) {
  const std::lock_guard lock(mutex_);
  if (failure_.empty()) queue(std::move(e));
}

// The caller holds mutex_.
void journal_file::queue(entry e) {
  pending_bytes_ += e.text.size();
  unwritten_bytes += e.text.size();
  pending_.push_back(std::move(e));
  ++added_;
  if (pending_.size() == 1 || pending_bytes_ > max_pending_bytes / 2) work_available_.notify_one();
}

void journal_file::commit() {
  std::unique_lock lock(mutex_);
  ++waiting_commits_;
  work_available_.notify_one();
  written_.wait(lock, [this, until = added_] { return committed_ >= until || !failure_.empty(); });
  --waiting_commits_;
  throw_if_failed();
}

void journal_file::run_writer() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_available_.wait(lock, [this] { return !pending_.empty() || closing_; });
    if (pending_.empty()) return;
    work_available_.wait_for(lock, batch_interval,
                             [this] { return waiting_commits_ > 0 || closing_ || pending_bytes_ > max_pending_bytes / 2; });
    std::vector<entry> batch = std::exchange(pending_, {});
    const std::size_t batch_bytes = std::exchange(pending_bytes_, 0);
    lock.unlock();
    std::string failure;
    try {
      const std::lock_guard database(database_mutex_);
      write(batch);
    } catch (const SQLite::Exception& error) {
      failure = error.getErrorCode() == SQLITE_FULL ? "cannot be written: the disk is full" : describe_error(error);
    } catch (const std::exception& error) {
      failure = std::string("cannot be written: ") + error.what();
    }
    lock.lock();
    unwritten_bytes -= batch_bytes;
    if (!failure.empty()) {
      failure_ = failure;
      unwritten_bytes -= std::exchange(pending_bytes_, 0);  // never will be
      if (closing_) log_line("journal '" + path_.string() + "' " + failure + "; it lacks the last results");
    } else {
      committed_ += batch.size();
    }
    written_.notify_all();
    if (!failure_.empty()) return;
  }
}

void journal_file::write(std::vector<entry>& batch) {
  SQLite::Transaction whole(*database_);
  SQLite::Statement finished(*database_, "INSERT OR REPLACE INTO chunks VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  SQLite::Statement recovered(*database_, "DELETE FROM failures WHERE call = ? AND item >= ? AND item < ?");
  SQLite::Statement failed(*database_, "INSERT OR REPLACE INTO failures VALUES(?, ?, ?, ?, ?, ?, ?)");
  // Chunks of earlier runs with other boundaries: the last one that begins before an item, and those that begin within a chunk.
  SQLite::Statement overlapping_front(
      *database_,
      "DELETE FROM chunks WHERE call = ?1 AND first = (SELECT max(first) FROM chunks WHERE call = ?1"
      " AND first < ?2) AND first + count > ?2");
  SQLite::Statement overlapped(*database_, "DELETE FROM chunks WHERE call = ? AND first > ? AND first < ?");
  SQLite::Statement items(*database_, "UPDATE calls SET items = ? WHERE id = ?");
  SQLite::Statement lost(*database_, "INSERT INTO losses VALUES(?, ?, ?, ?, ?)");
  bool any_failures = database_->execAndGet("SELECT EXISTS(SELECT 1 FROM failures)").getInt() != 0;
  const auto run = [](SQLite::Statement& statement) {
    statement.exec();
    statement.reset();
  };
  for (const entry& e : batch) {
    const auto first = static_cast<std::int64_t>(e.first);
    const auto count = static_cast<std::int64_t>(e.count);
    switch (e.what) {
      case entry::kind::finished: {
        if (resumes_) {
          overlapping_front.bind(1, e.call);
          overlapping_front.bind(2, first);
          run(overlapping_front);
          overlapped.bind(1, e.call);
          overlapped.bind(2, first);
          overlapped.bind(3, first + count);
          run(overlapped);
        }
        finished.bind(1, e.call);
        finished.bind(2, first);
        finished.bind(3, count);
        bind_digest(finished, 4, e.input);
        finished.bind(5, std::chrono::duration<double>(e.taken).count());
        finished.bind(6, e.rank);
        finished.bindNoCopy(7, e.host);
        finished.bind(8, e.when);
        bind_digest(finished, 9, checksum_of(e.call, e.first, e.count, e.input, std::as_bytes(std::span(e.text))));
        finished.bindNoCopy(10, e.text.data(), static_cast<int>(e.text.size()));
        run(finished);
        if (!any_failures) break;
        recovered.bind(1, e.call);
        recovered.bind(2, first);
        recovered.bind(3, first + count);
        run(recovered);
        break;
      }
      case entry::kind::failed:
        any_failures = true;
        failed.bind(1, e.call);
        failed.bind(2, first);
        failed.bind(3, count);
        failed.bind(4, description_of(e));
        failed.bind(5, e.rank);
        failed.bindNoCopy(6, e.host);
        failed.bind(7, e.when);
        run(failed);
        break;
      case entry::kind::items:
        items.bind(1, count);
        items.bind(2, e.call);
        run(items);
        break;
      case entry::kind::lost:
        lost.bind(1, e.rank);
        lost.bindNoCopy(2, e.host);
        lost.bindNoCopy(3, e.text);
        lost.bind(4, count);
        lost.bind(5, e.when);
        run(lost);
        break;
    }
  }
  whole.commit();
}

}  // namespace rankpool::detail
