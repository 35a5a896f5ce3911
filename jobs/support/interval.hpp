// A closed interval of whole numbers, and its division into segments.
#pragma once

#include <algorithm>
#include <concepts>
#include <ranges>
#include <string>
#include <tuple>
#include <type_traits>

#include "support/usage_error.hpp"

namespace jobs {

template <std::integral Integer>
struct interval {
  using size_type = std::make_unsigned_t<Integer>;

  Integer from;
  Integer to;
  Integer default_to = to;

  /// The numbers in it, which travel to workers as bounds. `to` must be below the largest Integer.
  auto numbers() const { return std::views::iota(from, static_cast<Integer>(to + 1)); }

  /// How far `to` lies above `from`: one less than there are numbers, so that it cannot overflow.
  size_type span() const { return static_cast<size_type>(to) - static_cast<size_type>(from); }

  /// Consecutive intervals of `length` numbers, the last of which may be shorter, as (first, last): for starmap.
  auto segments(size_type length) const {
    const auto segment = [from = from, span = span(), length](size_type index) {
      const size_type begin = index * length;
      const size_type end = begin + std::min<size_type>(length - 1, span - begin);
      const auto at = [from](size_type offset) { return static_cast<Integer>(static_cast<size_type>(from) + offset); };
      return std::tuple<Integer, Integer>(at(begin), at(end));
    };
    return std::views::iota(size_type{0}, static_cast<size_type>(span() / length + 1)) | std::views::transform(segment);
  }

  /// Throws: usage_error if `to` is less than `from`. The message calls them by the names of their options.
  void check(const std::string& first = "--from", const std::string& last = "--to") const {
    if (to >= from) return;
    throw usage_error(last + " (" + std::to_string(to) + (to == default_to ? ", the default" : "") + ") is less than " + first +
                      " (" + std::to_string(from) + ")");
  }
};

/// For jobs that print a line a number: short enough for a small interval to occupy all workers, long enough for a
/// large one not to notice the cost of a task.
template <std::integral Integer>
auto lines_per_task(const interval<Integer>& numbers, int workers) {
  using size_type = typename interval<Integer>::size_type;
  return std::clamp<size_type>(numbers.span() / (8 * static_cast<size_type>(workers)), 1, 8192);
}

/// For jobs that add up: likewise; the longest takes about a millisecond.
template <std::integral Integer>
auto numbers_per_sum(const interval<Integer>& numbers, int workers) {
  using size_type = typename interval<Integer>::size_type;
  return std::clamp<size_type>(numbers.span() / (64 * static_cast<size_type>(workers)), 1, 1 << 20);
}

}  // namespace jobs
