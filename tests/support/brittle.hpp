// Values whose decoding throws in a task or on rank 0, as the test chooses. They simulate strings and vectors whose
// allocation fails. Their encoding has no length field.
#pragma once

#include <rankpool/rankpool.hpp>

#include <stdexcept>
#include <type_traits>
#include <utility>

namespace support {

enum class breaks { never, in_task, on_rank_0 };

/// `End`: whether the codec can skip a value that it could not decode.
template <bool End>
struct basic_brittle {
  int value = 0;
  breaks where = breaks::never;
  friend bool operator==(const basic_brittle&, const basic_brittle&) = default;
};

/// If true, decoding the next value on rank 0 throws, whatever its `where` is.
inline bool next_breaks_on_rank_0 = false;

using brittle = basic_brittle<true>;
using endless_brittle = basic_brittle<false>;

}  // namespace support

namespace rankpool::detail {

template <bool End>
struct is_native<support::basic_brittle<End>> : std::true_type {};

template <bool End>
struct codec<support::basic_brittle<End>> {
  static void encode(byte_writer& out, const support::basic_brittle<End>& b) {
    out.put(b.value);
    out.put(b.where);
  }
  static support::basic_brittle<End> decode(byte_reader& in) {
    support::basic_brittle<End> b;
    b.value = in.get<int>();  // an error then leaves the reader in the middle of the value
    const bool in_task = this_worker::rank() != -1;
    byte_reader ahead = in;
    const auto where = ahead.get<support::breaks>();
    if (where == (in_task ? support::breaks::in_task : support::breaks::on_rank_0) ||
        (!in_task && std::exchange(support::next_breaks_on_rank_0, false))) {
      throw std::runtime_error("broke");
    }
    b.where = in.get<support::breaks>();
    return b;
  }
  static void skip(byte_reader& in) {
    if (!End) throw serialization_error("its end is not known");
    (void)in.take(sizeof(int) + sizeof(support::breaks));
  }
};

}  // namespace rankpool::detail
