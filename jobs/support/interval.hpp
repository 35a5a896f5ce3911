// A closed interval of integers, and its division into segments.
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

  /// Returns the numbers as a lazy range, which is sent to workers as bounds. `to` must be below the largest Integer.
  auto numbers() const { return std::views::iota(from, static_cast<Integer>(to + 1)); }

  /// Returns to - from. The number of integers, one more, could overflow.
  size_type span() const { return static_cast<size_type>(to) - static_cast<size_type>(from); }

  /// Returns consecutive intervals of `length` numbers as (first, last) for starmap. The last may be shorter.
  auto segments(size_type length) const {
    const auto segment = [from = from, span = span(), length](size_type index) {
      const size_type begin = index * length;
      const size_type end = begin + std::min<size_type>(length - 1, span - begin);
      const auto at = [from](size_type offset) { return static_cast<Integer>(static_cast<size_type>(from) + offset); };
      return std::tuple<Integer, Integer>(at(begin), at(end));
    };
    return std::views::iota(size_type{0}, static_cast<size_type>(span() / length + 1)) | std::views::transform(segment);
  }

  /// Returns a segment as text, such as "1 to 100".
  static std::string text_of(const std::tuple<Integer, Integer>& segment) {
    std::string text = std::to_string(std::get<0>(segment));
    return text.append(" to ").append(std::to_string(std::get<1>(segment)));
  }

  /// Checks the bounds. Throws: usage_error if `to` is less than `from`; the message names the options.
  void check(const std::string& first = "--from", const std::string& last = "--to") const {
    if (to >= from) return;
    throw usage_error(last + " (" + std::to_string(to) + (to == default_to ? ", the default" : "") + ") is less than " + first +
                      " (" + std::to_string(from) + ")");
  }
};

/// Returns the numbers per task for jobs that print a line per number: few enough for a small interval to occupy all workers, many
/// enough for the cost of a task to be negligible in a large interval.
template <std::integral Integer>
auto lines_per_task(const interval<Integer>& numbers, int workers) {
  using size_type = typename interval<Integer>::size_type;
  return std::clamp<size_type>(numbers.span() / (8 * static_cast<size_type>(workers)), 1, 8192);
}

/// Returns the numbers per task for jobs that add numbers up. The longest task takes about a millisecond.
template <std::integral Integer>
auto numbers_per_sum(const interval<Integer>& numbers, int workers) {
  using size_type = typename interval<Integer>::size_type;
  return std::clamp<size_type>(numbers.span() / (64 * static_cast<size_type>(workers)), 1, 1 << 20);
}

}  // namespace jobs
