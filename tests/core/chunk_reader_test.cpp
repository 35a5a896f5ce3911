// The outcome of a map's chunk, read item by item: which items after a damaged one can still be read.
#include "support/catch.hpp"

#include <rankpool/detail/call/invocation.hpp>
#include <rankpool/map_results.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace rankpool::detail;

int odd_only(int n) {
  if (n % 2 == 0) throw std::out_of_range("even: " + std::to_string(n));
  return n;
}

/// Returns the result that a worker sends for `items`.
byte_buffer chunk_of(const std::vector<int>& items) {
  byte_buffer task;
  byte_writer in(task);
  in.put(locate_function(&odd_only));
  in.put<std::uint64_t>(items.size());
  for (const int n : items) in.put(n);
  byte_buffer result;
  byte_writer out(result);
  byte_reader reader(task);
  run_map_chunk<int (*)(int), argument_pack<int>, packed_items<argument_pack<int>>>(reader, out);
  return result;
}

/// Returns each item as text; an error as its what().
std::vector<std::string> read_all_items(byte_buffer bytes, std::uint64_t count) {
  static const worker_place place{1, "here"};
  finished_chunk chunk;
  chunk.count = count;
  chunk.result.what = outcome::kind::value;
  chunk.result.where = &place;
  chunk.result.bytes = std::move(bytes);
  chunk_reader reader(std::move(chunk));
  std::vector<std::string> lines;
  while (reader.left() > 0) {
    try {
      if (const auto error = reader.advance()) std::rethrow_exception(error);
      lines.push_back(std::to_string(decode_next_result<int>(reader.results())));
    } catch (const std::exception& e) {
      lines.push_back(e.what());
    }
  }
  return lines;
}

/// Returns the offset in the bytes at which the encoding of this exception's message begins.
std::byte* find(byte_buffer& bytes, const std::string& message) {
  const auto* text = reinterpret_cast<const std::byte*>(message.data());
  std::byte* const found = std::search(bytes.data(), bytes.data() + bytes.size(), text, text + message.size());
  REQUIRE(found != bytes.data() + bytes.size());
  return found;
}

}  // namespace

TEST_CASE("results and exceptions of a chunk are read at the places of their items") {
  CHECK(read_all_items(chunk_of({1, 2, 3, 4, 5}), 5) == std::vector<std::string>{"1", "even: 2", "3", "even: 4", "5"});
}

TEST_CASE("an exception of a chunk that cannot be decoded fails only its item") {
  byte_buffer bytes = chunk_of({1, 2, 3, 4, 5});
  std::byte* const length = find(bytes, "even: 2") - sizeof(std::uint64_t);
  for (std::size_t i = 0; i < sizeof(std::uint64_t); ++i) length[i] = std::byte{0x7F};
  const auto lines = read_all_items(std::move(bytes), 5);
  REQUIRE(lines.size() == 5);
  CHECK_THAT(lines[1], support::containing("message ends too early"));
  CHECK(std::vector{lines[0], lines[2], lines[3], lines[4]} == std::vector<std::string>{"1", "3", "even: 4", "5"});
}

TEST_CASE("after a truncated exception of a chunk, no item has a value") {
  byte_buffer bytes = chunk_of({1, 2, 3, 4, 5});
  const std::size_t end = static_cast<std::size_t>(find(bytes, "even: 4") - bytes.data());
  bytes.resize(end);
  const auto lines = read_all_items(std::move(bytes), 5);
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == "1");
  CHECK(lines[2] == "3");
  CHECK_THAT(lines[3], support::containing("message ends too early"));
  CHECK_THAT(lines[4], support::containing("message ends too early"));
}
