#include "results.hpp"

#include "../log.hpp"

#include <rankpool/detail/code_address.hpp>

#include <chrono>
#include <cstring>
#include <utility>

namespace rankpool::detail {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

constexpr std::size_t most_row_bytes = 900'000'000;  // SQLite's limit is 10^9

/// A result as one text: what travels beside it, each with what makes it, then its bytes.
std::string text_of(const outcome& result) {
  byte_buffer head;
  byte_writer out(head);
  out.put<std::uint64_t>(result.beside.size());
  for (const auto& b : result.beside) {
    out.put(locate_function(b->make()));
    out.put<std::uint64_t>(b->size());
  }
  std::string text;
  text.reserve(head.size() + total_size(result.beside) + result.bytes.size());
  text.append(reinterpret_cast<const char*>(head.data()), head.size());
  for (const auto& b : result.beside) text.append(reinterpret_cast<const char*>(b->data()), b->size());
  text.append(reinterpret_cast<const char*>(result.bytes.data()), result.bytes.size());
  return text;
}

struct failure {
  std::uint64_t item = 0;
  std::uint64_t number = 0;
  std::string exception;  // encoded
};

std::string rest_of(byte_reader& in) {
  const std::size_t left = in.remaining();
  return {reinterpret_cast<const char*>(in.take(left)), left};
}

/// The first failure in a map's piece; none: all items have a result.
std::optional<failure> failure_in(std::uint64_t first, const outcome& result) {
  byte_reader in(result.bytes, result.beside);
  (void)in.take(in.get_count(1));
  const auto number = in.get<std::uint64_t>();
  if (number == 0) return std::nullopt;
  const auto item = first + in.get<std::uint64_t>();
  return failure{item, number, rest_of(in)};
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
    if (size > in.remaining()) throw serialization_error("a result is shorter than it says");
    result.beside.push_back(resolve_function<block::maker>(maker)(size));
  }
  for (const auto& b : result.beside) std::memcpy(b->data(), in.take(b->size()), b->size());
  const std::size_t left = in.remaining();
  result.bytes.append(in.take(left), left);
  return result;
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
    failed = failure{place.first, place.count, rest_of(in)};
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
  if (total_size(result.beside) + result.bytes.size() > most_row_bytes) {
    log_line("the result of item " + std::to_string(place.first) +
             " has more than 900 MB, which a journal does not take: a later run computes it again");
    return std::nullopt;
  }
  e.text = text_of(result);
  return e;
}

}  // namespace rankpool::detail
