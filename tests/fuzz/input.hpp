// The bytes that a fuzzer made up, taken off bit by bit to decide what a target does next.
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

  /// 0 once the bytes are used up.
  template <class T>
  T number() {
    T value{};
    const std::size_t n = std::min(sizeof value, left_);
    if (n > 0) std::memcpy(&value, at_, n);
    skip(n);
    return value;
  }

  std::size_t below(std::size_t n) { return number<std::uint16_t>() % n; }

  /// Up to `most` bytes, as many as the input itself says.
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

/// Ends the process where something that must hold does not: the fuzzer keeps the input that led there.
inline void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace fuzz

/// What every target defines. Whatever the bytes are, it returns 0: a crash, a sanitizer's report or a hang is a find.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
