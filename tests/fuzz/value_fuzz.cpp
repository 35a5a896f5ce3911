// Arbitrary bytes as a value of each type that the codec encodes itself: they fail with serialization_error, or decode to a value
// that is equal after it is encoded and decoded again. Boost checks the content of its own archives.
#include "fuzz/input.hpp"

#include <rankpool/detail/codec/codec.hpp>
#include <rankpool/detail/codec/skip.hpp>

#include <gmpxx.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

using namespace rankpool::detail;

namespace {

template <class T>
void try_as(const byte_buffer& bytes) {
  try {
    byte_reader in(bytes);
    const T value = decode<T>(in);
    byte_reader skipped(bytes);
    skip<T>(skipped);
    fuzz::require(skipped.remaining() == in.remaining());
    byte_buffer again;
    byte_writer out(again);
    encode(out, value);
    byte_reader back(again);
    const T copy = decode<T>(back);
    back.expect_end();
    byte_buffer twice;
    byte_writer second(twice);
    encode(second, copy);
    // Compares the bytes, because a NaN does not equal itself.
    fuzz::require(again.size() == twice.size() && std::memcmp(again.data(), twice.data(), again.size()) == 0);
  } catch (const rankpool::serialization_error&) {
  }
}

enum class colour : std::uint8_t { red, green };

struct sample {
  std::uint8_t kind;
  double value;
};
struct report {
  std::string title;
  sample samples[2];
  std::vector<std::pair<sample, std::string>> notes;
  std::optional<sample> best;
};

template <class... T>
void try_one_of(std::size_t which, const byte_buffer& bytes) {
  std::size_t i = 0;
  ((i++ == which ? try_as<T>(bytes) : void()), ...);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  const std::size_t which = in.number<std::uint8_t>() % 22;
  try_one_of<std::string, std::vector<int>, std::vector<std::string>, mpz_class, std::vector<mpz_class>, std::optional<std::string>,
             std::variant<std::monostate, int, std::string, std::vector<double>>, std::tuple<bool, __int128, std::string>,
             std::vector<std::tuple<int, std::string>>, std::array<std::string, 3>, std::pair<double, std::vector<std::string>>,
             std::unique_ptr<std::vector<int>>, std::vector<std::optional<std::variant<int, std::string>>>,
             std::chrono::nanoseconds, std::vector<std::vector<std::string>>, std::tuple<colour, std::vector<std::monostate>>,
             sample, std::vector<sample>, report, std::vector<report>, std::map<std::string, report>, std::deque<std::set<int>>>(
      which, in.rest());
  return 0;
}
