// Which of the encoded items in a message run. All of them do, unless the chunk was cut from another one.
#pragma once

#include <rankpool/detail/wire/bytes.hpp>

#include <cstdint>

namespace rankpool::detail {

/// It precedes the items in the message. Thread safety: a value type.
struct item_range {
  std::uint64_t skipped = 0;  ///< encoded items that precede the range
  std::uint64_t count = 0;    ///< items in the range; the message may contain more after it

  /// Returns the range of `number` items that begins `first` items after the begin of this one.
  item_range subrange(std::uint64_t first, std::uint64_t number) const { return {skipped + first, number}; }

  void write(byte_writer& out) const {
    out.put<std::uint64_t>(skipped == 0 ? count : count | has_skipped);
    if (skipped != 0) out.put<std::uint64_t>(skipped);
  }
  static item_range read(byte_reader& in) {
    const auto count = in.get<std::uint64_t>();
    return {(count & has_skipped) != 0 ? in.get<std::uint64_t>() : 0, count & ~has_skipped};
  }

 private:
  static constexpr std::uint64_t has_skipped = std::uint64_t{1} << 63;
};

}  // namespace rankpool::detail
