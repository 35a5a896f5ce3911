// Selects the input feed that reads the ranges of a call, and the types in which the items are stored.
#pragma once

#include <rankpool/detail/call/callable.hpp>
#include <rankpool/detail/map/input_feed.hpp>

#include <array>
#include <cstddef>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>

namespace rankpool::detail {

/// The stored types of the arguments that F gets from an item of starmap.
template <class F, class Tuple>
struct stored_tuple {
  static_assert(!std::is_same_v<Tuple, Tuple>,
                "rankpool: starmap takes a range of tuples (std::tuple, std::pair, std::array), one for each call's arguments: "
                "use map where each item is one argument");
};
template <class F, class... A>
struct stored_tuple<F, std::tuple<A...>> {
  using type = stored_arguments_t<F, A...>;
};
template <class F, class A, class B>
struct stored_tuple<F, std::pair<A, B>> {
  using type = stored_arguments_t<F, A, B>;
};
template <class F, class A, std::size_t N>
struct stored_tuple<F, std::array<A, N>> {
  template <std::size_t... I>
  static stored_arguments_t<F, decltype((void)I, std::declval<A>())...> repeat(std::index_sequence<I...>);
  using type = decltype(repeat(std::make_index_sequence<N>{}));
};
template <class F, class Tuple>
using stored_tuple_t = typename stored_tuple<F, Tuple>::type;

/// Returns the input feed for these ranges. A single range of consecutive integers is sent as its bounds.
template <class Stored, bool Unpack, class... Ranges>
auto feed_of(Ranges&&... ranges) {
  if constexpr (!Unpack && sizeof...(Ranges) == 1 && (is_counted<std::remove_cvref_t<Ranges>> && ...)) {
    return counted_feed<std::ranges::range_value_t<Ranges>...>(ranges...);
  } else {
    return packed_feed<Stored, Unpack, held_range<Ranges>...>(std::forward<Ranges>(ranges)...);
  }
}

}  // namespace rankpool::detail
