// Which of the encoded items of a chunk run: all, or, in a part of a chunk, some of them. It precedes the items in the message.
#pragma once

#include <rankpool/detail/wire/bytes.hpp>

#include <cstdint>

namespace rankpool::detail {

/// Thread safety: a value type.
struct item_range {
  std::uint64_t skipped = 0;  ///< items before the first one that runs
  std::uint64_t count = 0;    ///< items that run; others may follow, which do not

  /// The part of these items that begins at `first` of them and has `number` of them.
  item_range part(std::uint64_t first, std::uint64_t number) const { return {skipped + first, number}; }

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
