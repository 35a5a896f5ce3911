// Large contiguous data in out-of-band buffers: attached to a frame, moved into the receiving object, and its memory reused.
#include "support/catch.hpp"

#include <rankpool/detail/codec/codec.hpp>
#include <rankpool/detail/codec/skip.hpp>
#include <rankpool/detail/wire/block.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace rankpool::detail;

constexpr std::size_t large = bulk_bytes / sizeof(double);

struct message {
  byte_buffer bytes;
  blocks out_of_band;
};

template <class T>
message written(T value) {
  message m;
  byte_writer out(m.bytes, &m.out_of_band);
  encode_moved(out, std::move(value));
  return m;
}

template <class T>
T read(const message& m) {
  byte_reader in(m.bytes, m.out_of_band);
  return decode<T>(in);
}

}  // namespace

TEST_CASE("a moved large array is attached and taken out without a copy") {
  std::vector<double> numbers(large, 2.5);
  const double* const where = numbers.data();
  const message m = written(std::move(numbers));
  REQUIRE(m.out_of_band.size() == 1);
  CHECK(m.out_of_band[0]->size() == large * sizeof(double));
  CHECK(m.bytes.size() < 100);
  const auto back = read<std::vector<double>>(m);
  CHECK(back.data() == where);
  CHECK(back == std::vector<double>(large, 2.5));
}

TEST_CASE("a large attached array with another owner is copied out") {
  const message m = written(std::vector<double>(large, 1.5));
  const blocks other_handle = m.out_of_band;
  CHECK(read<std::vector<double>>(m) == std::vector<double>(large, 1.5));
  CHECK(read<std::vector<double>>(m) == std::vector<double>(large, 1.5));
}

TEST_CASE("a small array is written into the message, and so is any array if nothing can be attached") {
  CHECK(written(std::vector<double>(large - 1)).out_of_band.empty());
  byte_buffer bytes;
  byte_writer out(bytes);
  encode_moved(out, std::vector<double>(large, 3));
  byte_reader in(bytes);
  CHECK(decode<std::vector<double>>(in) == std::vector<double>(large, 3));
}

TEST_CASE("several attachments come out in their order") {
  const auto value = std::tuple(std::vector<double>(large, 1), std::string("between"), std::vector<int>(2 * large, 2));
  const message m = written(value);
  CHECK(m.out_of_band.size() == 2);
  CHECK(read<std::tuple<std::vector<double>, std::string, std::vector<int>>>(m) == value);
}

TEST_CASE("a value is skipped with its attachments") {
  using value = std::tuple<std::vector<double>, std::string, std::vector<double>, std::vector<double>>;
  message m;
  byte_writer out(m.bytes, &m.out_of_band);
  encode(out, value(std::vector<double>(large, 1), "text", {1, 2}, std::vector<double>(large, 3)));
  encode_moved(out, std::vector<double>(large, 4));
  byte_reader in(m.bytes, m.out_of_band);
  skip<value>(in);
  CHECK(decode<std::vector<double>>(in) == std::vector<double>(large, 4));
  in.expect_end();
}

TEST_CASE("an attachment that is missing or of another type is refused") {
  message missing = written(std::vector<double>(large));
  missing.out_of_band.clear();
  CHECK_THROWS_WITH(read<std::vector<double>>(missing), support::containing("lacks"));
  const message other = written(std::vector<double>(large));
  CHECK_THROWS_WITH(read<std::vector<float>>(other), support::containing("another type"));
}

TEST_CASE("a block that ends within an element is refused") {
  CHECK_THROWS_AS(contiguous<std::vector<double>>::make(9), rankpool::serialization_error);
}

TEST_CASE("the memory of a destroyed block is reused for the next block of its type") {
  using array = std::vector<std::uint32_t>;  // a type that no other test uses
  constexpr std::size_t n = bulk_bytes / sizeof(std::uint32_t);
  const void* where = nullptr;
  {
    const message m = written(array(n, 7));
    REQUIRE(m.out_of_band.size() == 1);
    where = m.out_of_band[0]->data();
  }
  const array again = contiguous<array>::make(bulk_bytes);
  CHECK(again.data() == where);
  CHECK(contiguous<array>::make(bulk_bytes).data() != where);
}

TEST_CASE("the memory that is kept for reuse is bounded") {
  using array = std::vector<std::uint16_t>;
  constexpr std::size_t chunk = max_pooled_bytes / 5 / sizeof(std::uint16_t);
  {
    std::vector<message> all;
    for (int i = 0; i < 8; ++i) all.push_back(written(array(chunk)));
  }
  CHECK(pooled_bytes <= max_pooled_bytes);
  for (int i = 0; i < 8; ++i) CHECK(contiguous<array>::make(chunk * sizeof(std::uint16_t)).size() == chunk);
}

TEST_CASE("numbers of any size are encoded with variable length, and decoded") {
  for (const std::uint64_t n :
       {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    byte_buffer bytes;
    byte_writer out(bytes);
    out.put_varint(n);
    byte_reader in(bytes);
    CHECK(in.get_varint() == n);
    CHECK(in.remaining() == 0);
  }
  byte_buffer endless;
  for (int i = 0; i < 20; ++i) byte_writer(endless).put<std::uint8_t>(0xFF);
  byte_reader in(endless);
  CHECK_THROWS_AS(in.get_varint(), rankpool::serialization_error);
}
