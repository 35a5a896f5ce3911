// The pieces that map and transform_reduce share on rank 0, and how reduced pieces are put together.
//
// Pieces finish in any order; neighbours are combined as soon as both are there, so what is kept is bounded by
// the pieces in flight, and any associative operation gives the sequential answer.
#pragma once

#include <rankpool/detail/future_state.hpp>
#include <rankpool/detail/input_feed.hpp>
#include <rankpool/detail/piecewise_job.hpp>
#include <rankpool/map_results.hpp>
#include <rankpool/options.hpp>

#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>

namespace rankpool::detail {

/// Items that may be read ahead. Throws std::invalid_argument for options out of range.
std::uint64_t buffer_limit(const map_options& options);

/// Completes a future whose arguments could not be written; within a catch clause.
void fail_unwritable(future_state_base& state);

template <class T>
void encode_shared(byte_buffer& bytes, const T& value) {
  byte_writer out(bytes);
  try {
    encode(out, value);
  } catch (...) {
    rethrow_as_serialization_error("the shared value could not be written");
  }
}

template <class... F>
void encode_callables(encoded_head& head, const F&... f) {
  byte_writer out(head.bytes, nullptr, &head.kept);
  try {
    (callable_codec<F>::encode(out, f), ...);
  } catch (...) {
    rethrow_as_serialization_error("the callable could not be written");
  }
}

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

/// The feed for these ranges: by bounds where there is one range of consecutive integers.
template <class Stored, bool Unpack, class... Ranges>
auto feed_of(Ranges&&... ranges) {
  if constexpr (!Unpack && sizeof...(Ranges) == 1 && (is_counted<std::remove_cvref_t<Ranges>> && ...)) {
    return counted_feed<std::ranges::range_value_t<Ranges>...>(ranges...);
  } else {
    return packed_feed<Stored, Unpack, std::views::all_t<Ranges>...>(std::views::all(std::forward<Ranges>(ranges))...);
  }
}

/// Reads the input, takes the pieces as they come and folds them onto init.
template <class T, class Feed, class Reduce>
T reduce_pieces(job_owner job, Feed& feed, std::uint64_t buffersize, steady_time deadline, T init, Reduce& reduce) {
  struct run {
    std::uint64_t count;
    T value;
  };
  std::map<std::uint64_t, run> runs;  // by first item; never two that touch
  std::uint64_t done = 0;
  bool more = true;
  for (;;) {
    if (more) {
      const bool sealed = job->sealed();  // by somebody else: the executor was shut down or broke
      if (sealed && feed.discard_one()) std::rethrow_exception(job->refusal());
      more = !sealed && feed.feed(*job, buffersize - (job->added() - done));
      if (!more) {
        job->end_input();
        job->owner().changed(job.shared());
      }
    }
    if (done == job->added()) {
      if (!more) break;
      continue;
    }
    auto piece = job->take(std::nullopt, deadline);
    if (!piece) throw timeout_error("transform_reduce: the timeout is up with " + std::to_string(done) + " items done");
    done += piece->count;
    if (piece->result.what != outcome::kind::value) std::rethrow_exception(piece_error(*piece));
    byte_reader in(piece->result.bytes, piece->result.beside);
    const std::uint64_t first = piece->first;
    std::uint64_t count = piece->count;
    T value = decode_result<T>(in);
    auto next = runs.lower_bound(first);
    if (next != runs.end() && next->first == first + count) {
      value = static_cast<T>(reduce(std::move(value), std::move(next->second.value)));
      count += next->second.count;
      next = runs.erase(next);
    }
    if (next != runs.begin()) {
      auto& [before_first, before] = *std::prev(next);
      if (before_first + before.count == first) {
        before.value = static_cast<T>(reduce(std::move(before.value), std::move(value)));
        before.count += count;
        continue;
      }
    }
    runs.emplace_hint(next, first, run{count, std::move(value)});
  }
  for (auto& [first, run] : runs) init = static_cast<T>(reduce(std::move(init), std::move(run.value)));
  return init;
}

}  // namespace rankpool::detail
