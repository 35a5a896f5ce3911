// Encodes outcomes as text for a row of the journal, finds failures in them, and decodes results.
#include "journal/results.hpp"

#include "support/log.hpp"

#include <rankpool/detail/wire/code_address.hpp>

#include <chrono>
#include <cstring>
#include <utility>

namespace rankpool::detail {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

constexpr std::size_t max_row_bytes = 900'000'000;  // SQLite's limit is 10^9 bytes

/// Encodes a result as one text: the types and sizes of its out-of-band buffers, their content, then its bytes.
std::string text_of(const outcome& result) {
  byte_buffer head;
  byte_writer out(head);
  out.put<std::uint64_t>(result.out_of_band.size());
  for (const auto& b : result.out_of_band) {
    out.put(locate_function(b->make()));
    out.put<std::uint64_t>(b->size());
  }
  std::string text;
  text.reserve(head.size() + total_size(result.out_of_band) + result.bytes.size());
  text.append(reinterpret_cast<const char*>(head.data()), head.size());
  for (const auto& b : result.out_of_band) text.append(reinterpret_cast<const char*>(b->data()), b->size());
  text.append(reinterpret_cast<const char*>(result.bytes.data()), result.bytes.size());
  return text;
}

struct failure {
  std::uint64_t item = 0;
  std::uint64_t number = 0;
  std::string exception;  // encoded
};

std::string remaining_text(byte_reader& in) {
  const std::size_t left = in.remaining();
  return {reinterpret_cast<const char*>(in.take(left)), left};
}

/// Returns the first failure in a map's chunk; none if all items have a result.
std::optional<failure> failure_in(std::uint64_t first, const outcome& result) {
  byte_reader in(result.bytes, result.out_of_band);
  (void)in.take(in.get_count(1));
  const auto number = in.get<std::uint64_t>();
  if (number == 0) return std::nullopt;
  const auto item = first + in.get<std::uint64_t>();
  byte_reader exception = in.sub(in.get_count(1));
  return failure{item, number, remaining_text(exception)};
}

}  // namespace

outcome outcome_of(const std::string& text) {
  outcome result;
  result.what = outcome::kind::value;
  byte_reader in(reinterpret_cast<const std::byte*>(text.data()), text.size());
  const std::size_t number = in.get_count(sizeof(code_address) + sizeof(std::uint64_t));
  for (std::size_t i = 0; i < number; ++i) {
    const auto maker = in.get<code_address>();
    const auto size = in.get<std::uint64_t>();
    if (size > in.remaining()) throw serialization_error("a result in a journal is truncated");
    result.out_of_band.push_back(resolve_function<block::maker>(maker)(size));
  }
  for (const auto& b : result.out_of_band) std::memcpy(b->data(), in.take(b->size()), b->size());
  const std::size_t left = in.remaining();
  result.bytes.append(in.take(left), left);
  return result;
}

outcome load_outcome(journal_file& file, std::int64_t call, std::uint64_t first) {
  const std::string text = file.result_of(call, first);
  try {
    return outcome_of(text);
  } catch (const std::exception& e) {
    file.fail("has a result of item " + std::to_string(first) + " that cannot be read: " + e.what());
  }
}

journal_file::entry loss_entry(const worker_place& where, const std::string& cause, std::uint64_t tasks) {
  journal_file::entry e{
      .what = journal_file::entry::kind::lost, .count = tasks, .text = cause, .rank = where.rank, .host = where.host};
  e.when = now();
  return e;
}

std::optional<journal_file::entry> entry_of(const journal_place& place, const outcome& result, bool by_items) {
  if (result.what == outcome::kind::not_run) return std::nullopt;
  journal_file::entry e{.what = journal_file::entry::kind::finished,
                        .call = place.call,
                        .first = place.first,
                        .count = place.count,
                        .input = place.input};
  e.taken = result.taken;
  e.when = now();
  if (result.where != nullptr) {
    e.rank = result.where->rank;
    e.host = result.where->host;
  }
  std::optional<failure> failed;
  if (result.what == outcome::kind::threw) {
    byte_reader in(result.bytes);
    failed = failure{place.first, place.count, remaining_text(in)};
  } else if (by_items) {
    failed = failure_in(place.first, result);
  }
  if (failed) {
    e.what = journal_file::entry::kind::failed;
    e.first = failed->item;
    e.count = failed->number;
    e.text = std::move(failed->exception);
    return e;
  }
  if (total_size(result.out_of_band) + result.bytes.size() > max_row_bytes) {
    log_line("the result of item " + std::to_string(place.first) +
             " exceeds 900 MB, the limit of a journal's row, and is not kept; a later run computes it again");
    return std::nullopt;
  }
  e.text = text_of(result);
  return e;
}

}  // namespace rankpool::detail
