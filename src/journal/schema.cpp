// The tables of a journal, their checksums, and the checks of a file's integrity.
#include "journal/schema.hpp"

#include "support/function_name.hpp"

#include <rankpool/detail/journal/result_printer.hpp>

#include <sqlite3.h>

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

namespace rankpool::detail {
namespace {

constexpr int application_id = 0x72'6b'70'6c;  // "rkpl", in the file's header
constexpr int format = 5;

}  // namespace

bool is_blank(SQLite::Database& in) {
  return in.execAndGet("PRAGMA application_id").getInt() == 0 && in.execAndGet("PRAGMA user_version").getInt() == 0 &&
         in.execAndGet("SELECT count(*) FROM sqlite_master").getInt() == 0;
}

void create_journal(SQLite::Database& in, const std::string& subject) {
  SQLite::Transaction whole(in);
  in.exec(
      "CREATE TABLE journal(key TEXT PRIMARY KEY, value TEXT NOT NULL);"
      "CREATE TABLE calls(id INTEGER PRIMARY KEY, number INTEGER UNIQUE, identity BLOB NOT NULL, name TEXT NOT NULL,"
      " items INTEGER NOT NULL DEFAULT 0, by_items INTEGER NOT NULL, printer BLOB NOT NULL, checksum BLOB NOT NULL);"
      "CREATE TABLE decisions(name TEXT PRIMARY KEY, value TEXT NOT NULL);"
      "CREATE TABLE chunks(call INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL, input BLOB NOT NULL,"
      " seconds REAL NOT NULL, rank INTEGER NOT NULL, host TEXT NOT NULL, finished REAL NOT NULL, checksum BLOB NOT NULL,"
      " result BLOB NOT NULL, UNIQUE(call, first));"
      "CREATE TABLE failures(call INTEGER NOT NULL, item INTEGER NOT NULL, failed INTEGER NOT NULL, error TEXT NOT NULL,"
      " rank INTEGER NOT NULL, host TEXT NOT NULL, at REAL NOT NULL, UNIQUE(call, item));"
      "CREATE TABLE losses(rank INTEGER NOT NULL, host TEXT NOT NULL, cause TEXT NOT NULL, items INTEGER NOT NULL,"
      " at REAL NOT NULL);");
  in.exec(std::string("PRAGMA application_id = ").append(std::to_string(application_id)));
  in.exec(std::string("PRAGMA user_version = ").append(std::to_string(format)));
  SQLite::Statement put(in, "INSERT INTO journal VALUES(?, ?)");
  for (const auto& [key, value] : {std::pair{"build", program_build_id()}, std::pair{"subject", subject}}) {
    put.bind(1, key);
    put.bind(2, value);
    put.exec();
    put.reset();
  }
  whole.commit();
}

call_row row_of(const call_description& what, const digest& identity) {
  const result_printer print = find_result_printer(what.result);
  return {.identity = identity,
          .name = function_name(what.identity, what.callable),
          .by_items = what.by_items,
          .printer = print == nullptr ? code_address{} : locate_function(print)};
}

digest checksum_of(const call_row& call) {
  const digest name = digest_of(std::as_bytes(std::span(call.name)));
  const std::array<std::uint64_t, 7> all{call.identity[0],    call.identity[1],   name[0], name[1], call.by_items ? 1U : 0U,
                                         call.printer.module, call.printer.offset};
  return digest_of(std::as_bytes(std::span(all)));
}

digest checksum_of(std::int64_t call, std::uint64_t first, std::uint64_t count, const digest& input,
                   std::span<const std::byte> result) {
  const digest content = digest_of(result);
  const std::array<std::uint64_t, 7> all{
      static_cast<std::uint64_t>(call), first, count, input[0], input[1], content[0], content[1]};
  return digest_of(std::as_bytes(std::span(all)));
}

void bind_digest(SQLite::Statement& into, int place, const digest& d) { into.bind(place, d.data(), sizeof d); }

digest digest_in(const SQLite::Column& column) {
  digest d{};
  if (column.getBytes() == sizeof d) std::memcpy(d.data(), column.getBlob(), sizeof d);
  return d;
}

std::span<const std::byte> bytes_in(const SQLite::Column& column) {
  return {static_cast<const std::byte*>(column.getBlob()), static_cast<std::size_t>(column.getBytes())};
}

void bind_address(SQLite::Statement& into, int place, code_address a) { bind_digest(into, place, {a.module, a.offset}); }

code_address address_in(const SQLite::Column& column) {
  const digest words = digest_in(column);
  return {words[0], words[1]};
}

std::string value_of(SQLite::Database& in, const std::string& key) {
  SQLite::Statement query(in, "SELECT value FROM journal WHERE key = ?");
  query.bind(1, key);
  return query.executeStep() ? query.getColumn(0).getString() : std::string();
}

std::string describe_error(const SQLite::Exception& error) {
  switch (error.getErrorCode()) {
    case SQLITE_BUSY: return "is in use by another run";
    case SQLITE_NOTADB: return "is not a journal";
    case SQLITE_CORRUPT: return "is damaged (" + std::string(error.what()) + ")";
    case SQLITE_READONLY: return "cannot be written: it is read-only";
    case SQLITE_CANTOPEN: return "cannot be opened: the file or its folder is missing or not accessible";
    default: return "cannot be used: " + std::string(error.what());
  }
}

std::string find_fault(SQLite::Database& in) {
  if (in.execAndGet("PRAGMA application_id").getInt() != application_id) return "is an SQLite database, but not a journal";
  if (const int its = in.execAndGet("PRAGMA user_version").getInt(); its != format)
    return "has format " + std::to_string(its) + ", but this version supports format " + std::to_string(format) + " only";
  if (const std::string found = in.execAndGet("PRAGMA quick_check(1)").getString(); found != "ok")
    return "is damaged (" + found + ")";
  SQLite::Statement all(in, "SELECT id, identity, name, by_items, printer, checksum FROM calls");
  while (all.executeStep()) {
    const call_row row{.identity = digest_in(all.getColumn(1)),
                       .name = all.getColumn(2).getString(),
                       .by_items = all.getColumn(3).getInt() != 0,
                       .printer = address_in(all.getColumn(4))};
    if (checksum_of(row) != digest_in(all.getColumn(5)))
      return "is damaged (call " + all.getColumn(0).getString() + " fails its checksum)";
  }
  return {};
}

std::string find_fault_in_results(SQLite::Database& in) {
  SQLite::Statement all(in, "SELECT call, first, count, input, result, checksum FROM chunks");
  while (all.executeStep()) {
    const std::int64_t call = all.getColumn(0).getInt64();
    const auto first = static_cast<std::uint64_t>(all.getColumn(1).getInt64());
    const auto count = static_cast<std::uint64_t>(all.getColumn(2).getInt64());
    const SQLite::Column input = all.getColumn(3);
    const SQLite::Column result = all.getColumn(4);
    if (checksum_of(call, first, count, digest_in(input), bytes_in(result)) != digest_in(all.getColumn(5)))
      return "is damaged (the result of item " + std::to_string(first) + " fails its checksum)";
  }
  return {};
}

}  // namespace rankpool::detail
