// The tables of a journal, the meaning of their rows, and the checks of their integrity. Used to write and to read a journal.
#pragma once

#include <rankpool/detail/journal/call_description.hpp>
#include <rankpool/detail/wire/code_address.hpp>
#include <rankpool/detail/wire/digest.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace rankpool::detail {

/// Returns whether the database has no tables: it is a new file, or its first run ended before it created them.
bool is_blank(SQLite::Database& in);

/// Creates the tables. `subject`: names the run, see journal::journal().
void create_journal(SQLite::Database& in, const std::string& subject);

/// A call's row, without its number and its number of items.
struct call_row {
  digest identity{};
  std::string name;
  bool by_items = false;
  code_address printer{};  ///< a result_printer; {} for none
};

/// A finished chunk of a call, without its result.
struct known_chunk {
  std::uint64_t count = 0;
  digest input{};  ///< of its items
};

/// Returns the row of a call. `identity`: the digest of its function and bound arguments, see identity_of().
call_row row_of(const call_description& what, const digest& identity);

/// Returns the checksum of a call's row.
digest checksum_of(const call_row& call);
/// Returns the checksum of a finished chunk's row.
digest checksum_of(std::int64_t call, std::uint64_t first, std::uint64_t count, const digest& input,
                   std::span<const std::byte> result);

void bind_digest(SQLite::Statement& into, int place, const digest& d);
digest digest_in(const SQLite::Column& column);
std::span<const std::byte> bytes_in(const SQLite::Column& column);
void bind_address(SQLite::Statement& into, int place, code_address a);
code_address address_in(const SQLite::Column& column);

/// Returns the value of a key, such as "build"; empty if there is none.
std::string value_of(SQLite::Database& in, const std::string& key);

// The following functions return a predicate that completes the message "journal FILE ...".

/// Checks that the file is a journal of this format and that its pages and calls are intact. Does not read the results. Returns the
/// problem or an empty string. Throws: SQLite::Exception.
std::string find_fault(SQLite::Database& in);
/// Reads all results and verifies their checksums. Returns the problem or an empty string. Throws: SQLite::Exception.
std::string find_fault_in_results(SQLite::Database& in);

/// Returns the problem that an exception of SQLite reports.
std::string describe_error(const SQLite::Exception& error);

}  // namespace rankpool::detail
