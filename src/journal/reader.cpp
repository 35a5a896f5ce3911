// journal_reader: calls, hosts, chunks, failures and results of a journal, read from a snapshot of the file.
#include <rankpool/journal_reader.hpp>

#include "journal/results.hpp"
#include "journal/schema.hpp"
#include "journal/snapshot.hpp"
#include "support/function_name.hpp"

#include <rankpool/detail/journal/result_printer.hpp>

#include <algorithm>
#include <utility>

namespace rankpool {
namespace {

using detail::journal_snapshot;
using seconds = journal_reader::seconds;
using time_point = journal_reader::time_point;

std::uint64_t unsigned_in(const SQLite::Column& column) { return static_cast<std::uint64_t>(column.getInt64()); }

/// Converts seconds since 1970 to a time. Clamps damaged values to the range of the clock.
time_point time_in(const SQLite::Column& column) {
  const seconds since(std::clamp(column.getDouble(), 0.0, 9e9));
  return time_point(std::chrono::duration_cast<time_point::duration>(since));
}

/// Runs `work` and turns an exception of SQLite into a journal_error.
template <class Work>
auto guarded(const journal_snapshot& journal, Work work) {
  try {
    return work();
  } catch (const SQLite::Exception& error) {
    journal.fail(detail::describe_error(error));
  }
}

/// The columns of a chunk, in the order in which chunk_at() reads them.
constexpr const char* chunk_columns = "call, first, count, seconds, rank, host, finished";

journal_reader::chunk chunk_at(SQLite::Statement& row) {
  return {.call = row.getColumn(0).getInt64(),
          .first = unsigned_in(row.getColumn(1)),
          .count = unsigned_in(row.getColumn(2)),
          .taken = seconds(row.getColumn(3).getDouble()),
          .rank = row.getColumn(4).getInt(),
          .host = row.getColumn(5).getString(),
          .finished = time_in(row.getColumn(6))};
}

constexpr double max_gap = 1;  // seconds; a longer gap between chunks is a pause, as between runs

/// Returns the time during which the call was running, without pauses.
seconds busy_time(SQLite::Database& in, std::int64_t call) {
  SQLite::Statement chunks(in, "SELECT finished - seconds AS began, finished FROM chunks WHERE call = ? ORDER BY began");
  chunks.bind(1, call);
  double sum = 0;
  double until = 0;
  while (chunks.executeStep()) {
    const double began = chunks.getColumn(0).getDouble();
    const double finished = chunks.getColumn(1).getDouble();
    if (finished <= until) continue;
    sum += finished - (began > until + max_gap ? began : until);
    until = finished;
  }
  return seconds(sum);
}

seconds median_time(SQLite::Database& in, std::int64_t call, std::uint64_t chunks) {
  if (chunks == 0) return {};
  SQLite::Statement middle(in, "SELECT seconds FROM chunks WHERE call = ? ORDER BY seconds LIMIT 1 OFFSET ?");
  middle.bind(1, call);
  middle.bind(2, static_cast<std::int64_t>((chunks - 1) / 2));
  return seconds(middle.executeStep() ? middle.getColumn(0).getDouble() : 0);
}

/// How to read the results of a call.
struct result_form {
  bool by_items = false;
  bool submitted = false;
  detail::result_printer print = nullptr;  // null if the results cannot be printed
};

result_form form_of(const journal_snapshot& journal, std::int64_t call) {
  SQLite::Statement row(journal.database(), "SELECT by_items, number IS NULL, printer FROM calls WHERE id = ?");
  row.bind(1, call);
  if (!row.executeStep()) journal.fail("has no call " + std::to_string(call));
  result_form form{.by_items = row.getColumn(0).getInt() != 0, .submitted = row.getColumn(1).getInt() != 0};
  const detail::code_address printer = detail::address_in(row.getColumn(2));
  if (journal.build() == detail::program_build_id() && printer != detail::code_address{})
    form.print = detail::resolve_function<detail::result_printer>(printer);
  return form;
}

/// Prints the values of one chunk, one after another.
class chunk_printer {
 public:
  chunk_printer(const result_form& form, const std::string& text) : print_(form.print) {
    if (print_ == nullptr) return;
    outcome_ = detail::outcome_of(text);
    in_ = detail::byte_reader(outcome_.bytes, outcome_.out_of_band);
    if (form.by_items) in_ = in_.sub(in_.get_count(1));
  }

  /// Reads the next value. The text is valid until the next call.
  void next(journal_reader::result& into) {
    if (print_ == nullptr) return;
    const std::size_t before = in_.remaining();
    text_.clear();
    const bool has_text = print_(in_, text_);
    into.bytes = before - in_.remaining();
    into.value = has_text ? std::optional<std::string_view>(text_) : std::nullopt;
  }

 private:
  detail::result_printer print_;
  detail::outcome outcome_;
  detail::byte_reader in_{nullptr, 0};
  std::string text_;
};

}  // namespace

journal_reader::journal_reader(const std::string& file) : journal_(std::make_unique<journal_snapshot>(file)) {}
journal_reader::~journal_reader() = default;
journal_reader::journal_reader(journal_reader&&) noexcept = default;
journal_reader& journal_reader::operator=(journal_reader&&) noexcept = default;

const std::string& journal_reader::subject() const { return journal_->subject(); }
const std::string& journal_reader::build() const { return journal_->build(); }
bool journal_reader::is_of_this_build() const { return journal_->build() == detail::program_build_id(); }

std::vector<journal_reader::call> journal_reader::calls() const {
  return guarded(*journal_, [this] {
    SQLite::Database& in = journal_->database();
    std::vector<call> all;
    SQLite::Statement rows(in,
                           "SELECT id, name, items, (SELECT COALESCE(SUM(failed), 0) FROM failures WHERE call = id), COUNT(first),"
                           " COALESCE(SUM(count), 0), COALESCE(SUM(seconds), 0), MIN(finished), MAX(finished)"
                           " FROM calls LEFT JOIN chunks ON call = id GROUP BY id ORDER BY id");
    while (rows.executeStep()) {
      call& c = all.emplace_back();
      c.id = rows.getColumn(0).getInt64();
      c.name = detail::short_name(rows.getColumn(1).getString());
      if (const std::uint64_t items = unsigned_in(rows.getColumn(2)); items > 0) c.items = items;
      c.failed = unsigned_in(rows.getColumn(3));
      c.chunks = unsigned_in(rows.getColumn(4));
      c.done = unsigned_in(rows.getColumn(5));
      c.total = seconds(rows.getColumn(6).getDouble());
      if (c.chunks == 0) continue;
      c.first = time_in(rows.getColumn(7));
      c.last = time_in(rows.getColumn(8));
      c.median = median_time(in, c.id, c.chunks);
      c.busy = busy_time(in, c.id);
    }
    return all;
  });
}

std::vector<journal_reader::host> journal_reader::hosts() const {
  return guarded(*journal_, [this] {
    SQLite::Statement rows(journal_->database(),
                           "SELECT host, SUM(items), SUM(chunks), SUM(failed), SUM(seconds) FROM"
                           " (SELECT host, count AS items, 1 AS chunks, 0 AS failed, seconds FROM chunks"
                           "  UNION ALL SELECT host, 0, 0, failed, 0 FROM failures) GROUP BY host ORDER BY host");
    std::vector<host> all;
    while (rows.executeStep()) {
      all.push_back({.name = rows.getColumn(0).getString(),
                     .items = unsigned_in(rows.getColumn(1)),
                     .chunks = unsigned_in(rows.getColumn(2)),
                     .failed = unsigned_in(rows.getColumn(3)),
                     .total = seconds(rows.getColumn(4).getDouble())});
    }
    return all;
  });
}

std::vector<journal_reader::loss> journal_reader::losses() const {
  return guarded(*journal_, [this] {
    SQLite::Statement rows(journal_->database(), "SELECT rank, host, cause, items, at FROM losses ORDER BY at");
    std::vector<loss> all;
    while (rows.executeStep()) {
      all.push_back({.rank = rows.getColumn(0).getInt(),
                     .host = rows.getColumn(1).getString(),
                     .cause = rows.getColumn(2).getString(),
                     .items = unsigned_in(rows.getColumn(3)),
                     .when = time_in(rows.getColumn(4))});
    }
    return all;
  });
}

std::vector<journal_reader::chunk> journal_reader::slowest(std::uint64_t most) const {
  return guarded(*journal_, [&] {
    SQLite::Statement rows(journal_->database(),
                           std::string("SELECT ") + chunk_columns + " FROM chunks ORDER BY seconds DESC, call, first LIMIT ?");
    rows.bind(1, static_cast<std::int64_t>(std::min(most, std::uint64_t{1} << 62)));
    std::vector<chunk> all;
    while (rows.executeStep()) all.push_back(chunk_at(rows));
    return all;
  });
}

void journal_reader::for_each_failure(const std::function<void(const failure&)>& visit, std::optional<std::int64_t> of) const {
  guarded(*journal_, [&] {
    SQLite::Statement rows(journal_->database(),
                           "SELECT call, item, failed, error, rank, host, at FROM failures WHERE ?1 IS NULL OR call = ?1"
                           " ORDER BY call, item");
    if (of) rows.bind(1, *of);
    while (rows.executeStep()) {
      visit({.call = rows.getColumn(0).getInt64(),
             .item = unsigned_in(rows.getColumn(1)),
             .failed = unsigned_in(rows.getColumn(2)),
             .error = rows.getColumn(3).getString(),
             .rank = rows.getColumn(4).getInt(),
             .host = rows.getColumn(5).getString(),
             .when = time_in(rows.getColumn(6))});
    }
  });
}

void journal_reader::for_each_result(std::int64_t of, const std::function<void(const result&)>& visit) const {
  guarded(*journal_, [&] {
    const result_form form = form_of(*journal_, of);
    SQLite::Statement rows(journal_->database(), std::string("SELECT ") + chunk_columns +
                                                     ", input, checksum, result FROM chunks WHERE call = ? ORDER BY first");
    rows.bind(1, of);
    while (rows.executeStep()) {
      const chunk from = chunk_at(rows);
      const auto damaged = [&](const std::string& how) {
        journal_->fail("is damaged (the result of item " + std::to_string(from.first) + " " + how + ")");
      };
      const SQLite::Column bytes = rows.getColumn(9);
      if (detail::checksum_of(of, from.first, from.count, detail::digest_in(rows.getColumn(7)), detail::bytes_in(bytes)) !=
          detail::digest_in(rows.getColumn(8))) {
        damaged("fails its checksum");
      }
      std::optional<chunk_printer> values;
      const std::uint64_t results = form.by_items ? from.count : 1;
      for (std::uint64_t i = 0; i < results; ++i) {
        result one{.item = from.first + i, .value = {}, .bytes = {}, .from = from, .of_chunk = !form.by_items && !form.submitted};
        try {
          if (!values) values.emplace(form, bytes.getString());
          values->next(one);
        } catch (const std::exception& error) {
          damaged(std::string("cannot be decoded: ") + error.what());
        }
        visit(one);
      }
    }
  });
}

void journal_reader::verify() const {
  guarded(*journal_, [this] {
    if (const std::string found = journal_->database().execAndGet("PRAGMA integrity_check(1)").getString(); found != "ok")
      journal_->fail("is damaged (" + found + ")");
    if (const std::string fault = detail::find_fault_in_results(journal_->database()); !fault.empty()) journal_->fail(fault);
  });
}

}  // namespace rankpool
