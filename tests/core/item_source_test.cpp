// Unit tests of item batches: the items that are cut from them, and the shared values that these items refer to.
#include "support/catch.hpp"

#include <rankpool/detail/map/item_source.hpp>
#include <rankpool/detail/shared/shared_data.hpp>
#include <rankpool/detail/wire/digest.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace rankpool::detail;

std::shared_ptr<const shared_data> value_of(std::uint64_t id, const std::string& content) {
  const auto memory = std::make_shared<const std::string>(content);
  return std::make_shared<shared_data>(id, memory, std::as_bytes(std::span(*memory)));
}

/// Returns `count` items. Each has a number and the id of `value`.
item_batch batch_of(int count, const std::shared_ptr<const shared_data>& value) {
  item_batch batch;
  byte_writer out(batch.bytes, nullptr, &batch.references);
  for (int i = 0; i < count; ++i) {
    out.put(i);
    out.refer_to(value, out.size());
    out.put(value->id());
    batch.ends.push_back(out.size());
    ++batch.count;
  }
  return batch;
}

constexpr std::size_t item_bytes = sizeof(int) + sizeof(std::uint64_t);

digest digest_of_cut(item_source& source, std::uint64_t count) {
  byte_buffer bytes;
  shared_references references;
  byte_writer out(bytes, nullptr, &references);
  source.cut(out, 0, count);
  return digest_of(bytes, {}, references);
}

}  // namespace

TEST_CASE("a part that is cut from a batch has its items and their references") {
  const auto value = value_of(17, "content");
  const item_batch part = part_of(batch_of(5, value), 2, 2);
  CHECK(part.count == 2);
  CHECK(part.bytes.size() == 2 * item_bytes);
  CHECK(part.ends == std::vector<std::uint64_t>{item_bytes, 2 * item_bytes});
  REQUIRE(part.references.size() == 2);
  CHECK(part.references[0].offset == sizeof(int));
  CHECK(part.references[1].offset == item_bytes + sizeof(int));
  CHECK(byte_reader(part.bytes).get<int>() == 2);
}

TEST_CASE("a chunk that is cut across batches refers to the values of both") {
  packed_source source;
  source.append(batch_of(2, value_of(1, "one")));
  source.append(batch_of(2, value_of(2, "two")));
  byte_buffer bytes;
  shared_references references;
  byte_writer out(bytes, nullptr, &references);
  out.put<std::uint64_t>(3);  // offsets count from the start of the buffer
  source.cut(out, 0, 3);
  REQUIRE(references.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(references[i].offset == sizeof(std::uint64_t) + i * item_bytes + sizeof(int));
  CHECK(references[1].value->id() == 1);
  CHECK(references[2].value->id() == 2);
}

TEST_CASE("a chunk that is kept can be divided, and its parts are forgotten one by one") {
  const auto cut_again = [](packed_source& source, std::uint64_t first, std::uint64_t count) {
    byte_buffer bytes;
    byte_writer out(bytes);
    source.cut_again(out, first, count);
    return bytes;
  };
  packed_source source;
  source.keep();
  source.append(batch_of(10, value_of(1, "content")));
  byte_buffer bytes;
  byte_writer out(bytes);
  source.cut(out, 0, 10);
  source.divide(0, 10);  // there is such a chunk
  source.divide(4, 1);
  CHECK(byte_reader(cut_again(source, 4, 1)).get<int>() == 4);
  CHECK(cut_again(source, 5, 5).size() == 5 * item_bytes);
  CHECK_THROWS_AS(cut_again(source, 3, 2), std::logic_error);  // in two chunks
  source.forget(0);
  CHECK(byte_reader(cut_again(source, 4, 1)).get<int>() == 4);
  source.forget(4);
  CHECK_THROWS_AS(cut_again(source, 4, 1), std::logic_error);
  CHECK(byte_reader(cut_again(source, 5, 5)).get<int>() == 5);
}

TEST_CASE("a digest depends on the content of shared values, not on their ids") {
  const auto digest_with = [](std::uint64_t id, const std::string& content) {
    packed_source source;
    source.append(batch_of(3, value_of(id, content)));
    return digest_of_cut(source, 3);
  };
  CHECK(digest_with(1, "same") == digest_with(2, "same"));
  CHECK(digest_with(1, "same") != digest_with(1, "other"));
}

TEST_CASE("bytes that equal the id of a shared value are not a reference") {
  const auto value = value_of(42, "content");
  const auto digest_with = [&](std::uint64_t number) {
    byte_buffer bytes;
    shared_references references;
    byte_writer out(bytes, nullptr, &references);
    out.refer_to(value, out.size());
    out.put(value->id());
    out.put(number);
    return digest_of(bytes, {}, references);
  };
  const auto other = value_of(43, "content");
  byte_buffer bytes;
  shared_references references;
  byte_writer out(bytes, nullptr, &references);
  out.refer_to(other, out.size());
  out.put(other->id());
  out.put<std::uint64_t>(42);  // in an earlier run, this number was the id of the value
  CHECK(digest_of(bytes, {}, references) == digest_with(42));
  CHECK(digest_of(bytes, {}, references) != digest_with(43));
}
