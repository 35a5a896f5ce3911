// What the rows of a journal mean and when they are sound: the same for who writes one and for who only looks at it.
#pragma once

#include <rankpool/detail/code_address.hpp>
#include <rankpool/detail/journal_call.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace rankpool::detail {

/// Whether nothing has ever been in it: a new file, or one whose first run ended before its tables were there.
bool never_begun(SQLite::Database& in);

/// Makes the tables. `subject`: what the run is about.
void create_journal(SQLite::Database& in, const std::string& subject);

/// A call's row without its number and its items.
struct call_row {
  digest identity{};
  std::string name;
  bool by_items = false;
  code_address printer{};  ///< a result_printer; none: {}
};

/// `identity`: of the call with what is bound to its function.
call_row row_of(const call_description& what, const digest& identity);

digest check_of(const call_row& call);
digest check_of(std::int64_t call, std::uint64_t first, std::uint64_t count, const digest& input,
                std::span<const std::byte> result);

void bind_digest(SQLite::Statement& into, int place, const digest& d);
digest digest_in(const SQLite::Column& column);
std::span<const std::byte> bytes_in(const SQLite::Column& column);
void bind_address(SQLite::Statement& into, int place, code_address a);
code_address address_in(const SQLite::Column& column);

/// The value of a key, such as "build"; empty if there is none.
std::string text_of(SQLite::Database& in, const std::string& key);

// Empty, or what is wrong, to go on from "journal FILE". They throw SQLite::Exception.
/// Cheap: whether it is a journal of this format, and its pages and calls are whole.
std::string fault_in(SQLite::Database& in);
/// Reads all results.
std::string fault_in_results(SQLite::Database& in);

/// Why SQLite refuses, likewise.
std::string reason(const SQLite::Exception& error);

}  // namespace rankpool::detail
