// The bytes of a fuzzer's input, from which a target reads the values that decide its next step.
#pragma once

#include <rankpool/detail/wire/bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace fuzz {

class input {
 public:
  input(const std::uint8_t* data, std::size_t size) : at_(data), left_(size) {}

  bool empty() const { return left_ == 0; }

  /// Reads a number; 0 at the end of the input.
  template <class T>
  T number() {
    T value{};
    const std::size_t n = std::min(sizeof value, left_);
    if (n > 0) std::memcpy(&value, at_, n);
    skip(n);
    return value;
  }

  std::size_t below(std::size_t n) { return number<std::uint16_t>() % n; }

  /// Returns up to `most` bytes. The input itself has their number.
  rankpool::detail::byte_buffer bytes(std::size_t most) {
    const std::size_t n = std::min<std::size_t>({number<std::uint16_t>(), most, left_});
    rankpool::detail::byte_buffer taken;
    taken.append(at_, n);
    skip(n);
    return taken;
  }

  rankpool::detail::byte_buffer rest() {
    rankpool::detail::byte_buffer taken;
    taken.append(at_, left_);
    skip(left_);
    return taken;
  }

 private:
  void skip(std::size_t n) {
    at_ += n;
    left_ -= n;
  }

  const std::uint8_t* at_;
  std::size_t left_;
};

/// Ends the process if a condition does not hold, so that the fuzzer keeps the input.
inline void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace fuzz

/// The entry point of every target. Returns 0 for any bytes; the fuzzer reports crashes, sanitizer errors and hangs.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
