#include "file.hpp"

#include "../log.hpp"
#include "function_name.hpp"

#include <rankpool/detail/code_address.hpp>
#include <rankpool/detail/exception_codec.hpp>

#include <sqlite3.h>

#include <utility>

namespace rankpool::detail {
namespace {

constexpr auto batch_time = std::chrono::milliseconds(500);  // what may be lost is this and one commit
constexpr std::size_t most_waiting_bytes = std::size_t{256} << 20;
constexpr int patience_ms = 3000;  // for a run that is just ending

std::string description_of(const journal_file::entry& failed) {
  byte_reader in(reinterpret_cast<const std::byte*>(failed.text.data()), failed.text.size());
  try {
    return describe(
        decode_exception(in, {.rank = failed.rank, .host = failed.host, .task = failed.first, .type_name = {}, .trace = {}}));
  } catch (const std::exception& e) {
    return std::string("an error that cannot be read: ") + e.what();
  }
}

}  // namespace

journal_file::journal_file(std::filesystem::path file, const std::string& subject, std::atomic<std::int64_t>& calls)
    : path_(std::move(file)), calls_(calls) {
  try {
    std::error_code none;
    const bool exists = std::filesystem::exists(path_, none);
    database_ = std::make_unique<SQLite::Database>(path_.string(), SQLite::OPEN_READWRITE | (exists ? 0 : SQLite::OPEN_CREATE),
                                                   patience_ms);
    if (sqlite3_db_readonly(database_->getHandle(), "main") == 1) fail("cannot be written: it is read-only");
    database_->exec("PRAGMA locking_mode = EXCLUSIVE");  // works where shared memory does not: on network file systems
    const bool fresh = never_begun(*database_);
    if (!fresh) check(subject);
    database_->exec("PRAGMA journal_mode = WAL");
    database_->exec("PRAGMA synchronous = FULL");
    database_->exec("BEGIN IMMEDIATE; COMMIT");  // has the lock from now on
    if (fresh) create_journal(*database_, subject);
    resumes_ = !fresh;
    subject_ = subject;
  } catch (const SQLite::Exception& error) {
    fail(reason(error));
  }
  writer_ = std::thread([this] { write_on(); });
}

journal_file::~journal_file() {
  {
    const std::lock_guard lock(mutex_);
    leaving_ = true;
  }
  news_.notify_one();
  writer_.join();
}

void journal_file::fail(const std::string& why) const { throw journal_error("journal " + path_.string() + " " + why); }

// Nothing of it may be wrong before anything is written.
void journal_file::check(const std::string& subject) {
  if (const std::string fault = fault_in(*database_); !fault.empty()) fail(fault);
  subject_ = text_of(*database_, "subject");
  expect_subject(subject);
  if (const std::string build = text_of(*database_, "build"); build != program_build_id()) {
    fail("is of another build of the program (" + build.substr(0, 12) + "..., this is " + program_build_id().substr(0, 12) +
         "...): go on with that one, or begin another journal");
  }
  if (const std::string fault = fault_in_results(*database_); !fault.empty()) fail(fault);
}

void journal_file::expect_subject(const std::string& subject) const {
  if (subject == subject_) return;
  const auto named = [](const std::string& s) { return s.empty() ? std::string("a run without a name") : "'" + s + "'"; };
  fail("is of another run: it is of " + named(subject_) + ", not of " + named(subject));
}

std::int64_t journal_file::next_call(const call_row& row) {
  const std::int64_t number = ++calls_;
  try {
    const std::lock_guard lock(database_mutex_);
    SQLite::Statement query(*database_, "SELECT id, identity, name FROM calls WHERE number = ?");
    query.bind(1, number);
    if (query.executeStep()) {
      if (digest_in(query.getColumn(1)) != row.identity) {
        fail("does not fit: call " + std::to_string(number) + " of this run has another function or other bound arguments (" +
             in_short(row.name) + ") than the one that it has results of (" + in_short(query.getColumn(2).getString()) + ")");
      }
      return query.getColumn(0).getInt64();
    }
    return new_call(number, row);
  } catch (const SQLite::Exception& error) {
    fail(reason(error));
  }
}

// `number`: none for tasks that are submitted, which come in any order.
std::int64_t journal_file::new_call(std::optional<std::int64_t> number, const call_row& row) {
  SQLite::Statement put(*database_,
                        "INSERT INTO calls(number, identity, name, by_items, printer, checksum) VALUES(?, ?, ?, ?, ?, ?)");
  if (number) put.bind(1, *number);
  bind_digest(put, 2, row.identity);
  put.bind(3, row.name);
  put.bind(4, static_cast<int>(row.by_items));
  bind_address(put, 5, row.printer);
  bind_digest(put, 6, check_of(row));
  put.exec();
  return database_->getLastInsertRowid();
}

journal_tasks& journal_file::tasks_of(const call_description& what) {
  const std::lock_guard submitting(tasks_mutex_);
  const std::pair key(what.function, what.identity);
  const auto known = tasks_.find(key);
  if (known != tasks_.end()) return known->second;
  try {
    const digest identity = identity_of(what);
    std::int64_t call = 0;
    {
      const std::lock_guard lock(database_mutex_);
      SQLite::Statement query(*database_, "SELECT id FROM calls WHERE number IS NULL AND identity = ?");
      bind_digest(query, 1, identity);
      if (query.executeStep()) {
        call = query.getColumn(0).getInt64();
        SQLite::Statement forget(*database_, "DELETE FROM failures WHERE call = ?");  // all of them run again, with other numbers
        forget.bind(1, call);
        forget.exec();
      } else {
        call = new_call(std::nullopt, row_of(what, identity));
      }
    }
    return tasks_.try_emplace(key, *this, call).first->second;
  } catch (const SQLite::Exception& error) {
    fail(reason(error));
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
    fail(reason(error));
  }
  auto said = recalled(name);
  if (!said) fail("has lost what was decided about " + name);
  return std::move(*said);
}

std::optional<std::string> journal_file::recalled(const std::string& name) {
  try {
    const std::lock_guard lock(database_mutex_);
    SQLite::Statement query(*database_, "SELECT value FROM decisions WHERE name = ?");
    query.bind(1, name);
    if (!query.executeStep()) return std::nullopt;
    return query.getColumn(0).getString();
  } catch (const SQLite::Exception& error) {
    fail(reason(error));
  }
}

std::map<std::uint64_t, journal_call::known_piece> journal_file::pieces_of(std::int64_t call) {
  try {
    const std::lock_guard lock(database_mutex_);
    std::map<std::uint64_t, journal_call::known_piece> pieces;
    SQLite::Statement query(*database_, "SELECT first, count, input FROM pieces WHERE call = ? ORDER BY first");
    query.bind(1, call);
    while (query.executeStep()) {
      pieces.emplace_hint(
          pieces.end(), static_cast<std::uint64_t>(query.getColumn(0).getInt64()),
          journal_call::known_piece{static_cast<std::uint64_t>(query.getColumn(1).getInt64()), digest_in(query.getColumn(2))});
    }
    return pieces;
  } catch (const SQLite::Exception& error) {
    fail(reason(error));
  }
}

std::string journal_file::result_of(std::int64_t call, std::uint64_t first) {
  try {
    const std::lock_guard lock(database_mutex_);
    SQLite::Statement query(*database_, "SELECT result FROM pieces WHERE call = ? AND first = ?");
    query.bind(1, call);
    query.bind(2, static_cast<std::int64_t>(first));
    if (!query.executeStep()) fail("has lost the result of item " + std::to_string(first));
    const auto bytes = bytes_in(query.getColumn(0));
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  } catch (const SQLite::Exception& error) {
    fail(reason(error));
  }
}

// ---- writing

void journal_file::throw_if_failed() {
  if (failure_.empty()) return;
  told_ = true;
  fail(failure_);
}

bool journal_file::has_told_failure() const {
  const std::lock_guard lock(mutex_);
  return told_;
}

void journal_file::add(entry e) {
  std::unique_lock lock(mutex_);
  throw_if_failed();
  const std::size_t bytes = e.text.size();
  written_.wait(lock, [&] { return waiting_bytes_ == 0 || waiting_bytes_ + bytes <= most_waiting_bytes || !failure_.empty(); });
  throw_if_failed();
  waiting_bytes_ += bytes;
  waiting_.push_back(std::move(e));
  ++added_;
  if (waiting_.size() == 1 || waiting_bytes_ > most_waiting_bytes / 2) news_.notify_one();
}

void journal_file::commit() {
  std::unique_lock lock(mutex_);
  ++hurried_;
  news_.notify_one();
  written_.wait(lock, [this, until = added_] { return committed_ >= until || !failure_.empty(); });
  --hurried_;
  throw_if_failed();
}

void journal_file::write_on() {
  std::unique_lock lock(mutex_);
  for (;;) {
    news_.wait(lock, [this] { return !waiting_.empty() || leaving_; });
    if (waiting_.empty()) return;
    news_.wait_for(lock, batch_time, [this] { return hurried_ > 0 || leaving_ || waiting_bytes_ > most_waiting_bytes / 2; });
    std::vector<entry> batch = std::exchange(waiting_, {});
    waiting_bytes_ = 0;
    lock.unlock();
    std::string failure;
    try {
      const std::lock_guard database(database_mutex_);
      write(batch);
    } catch (const SQLite::Exception& error) {
      failure = error.getErrorCode() == SQLITE_FULL ? "cannot be written: the disk is full" : reason(error);
    } catch (const std::exception& error) {
      failure = std::string("cannot be written: ") + error.what();
    }
    lock.lock();
    if (!failure.empty()) {
      failure_ = failure;
      if (leaving_) log_line("journal " + path_.string() + " " + failure + "; the last results are not in it");
    } else {
      committed_ += batch.size();
    }
    written_.notify_all();
    if (!failure_.empty()) return;
  }
}

void journal_file::write(std::vector<entry>& batch) {
  SQLite::Transaction whole(*database_);
  SQLite::Statement finished(*database_, "INSERT OR REPLACE INTO pieces VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  SQLite::Statement recovered(*database_, "DELETE FROM failures WHERE call = ? AND item >= ? AND item < ?");
  SQLite::Statement failed(*database_, "INSERT OR REPLACE INTO failures VALUES(?, ?, ?, ?, ?, ?, ?)");
  SQLite::Statement forgotten(*database_, "DELETE FROM pieces WHERE call = ? AND first = ?");
  SQLite::Statement items(*database_, "UPDATE calls SET items = ? WHERE id = ?");
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
        finished.bind(1, e.call);
        finished.bind(2, first);
        finished.bind(3, count);
        bind_digest(finished, 4, e.input);
        finished.bind(5, std::chrono::duration<double>(e.taken).count());
        finished.bind(6, e.rank);
        finished.bindNoCopy(7, e.host);
        finished.bind(8, e.when);
        bind_digest(finished, 9, check_of(e.call, e.first, e.count, e.input, std::as_bytes(std::span(e.text))));
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
      case entry::kind::forgotten:
        forgotten.bind(1, e.call);
        forgotten.bind(2, first);
        run(forgotten);
        break;
      case entry::kind::items:
        items.bind(1, count);
        items.bind(2, e.call);
        run(items);
        break;
    }
  }
  whole.commit();
}

}  // namespace rankpool::detail
