// Combines the reduced chunks of a transform_reduce on rank 0.
//
// Chunks finish in any order. Adjacent chunks are combined as soon as both have arrived, so the number of values in memory is
// bounded by the number of chunks in flight. Only adjacent values are combined, so any associative operation gives the result of
// the sequential reduction.
#pragma once

#include <rankpool/detail/call/invocation.hpp>
#include <rankpool/detail/codec/boxed_if_large.hpp>
#include <rankpool/detail/map/chunk_reader.hpp>
#include <rankpool/detail/map/input_feed.hpp>
#include <rankpool/detail/map/map_call.hpp>
#include <rankpool/errors.hpp>

#include <cstdint>
#include <exception>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

namespace rankpool::detail {

/// Reads the input, combines the chunks as they finish, and returns the result of folding them onto `init`.
/// Throws: timeout_error at the deadline; the error of the first chunk that fails.
template <class T, class Reduce>
T reduce_chunks(map_call_ptr call, input_feed& feed, std::uint64_t buffersize, steady_time deadline, T&& init, Reduce& reduce) {
  struct run {
    std::uint64_t count;
    boxed_if_large<T> value;
  };
  const auto combine = [&](boxed_if_large<T>& left, T& right) {
    left.replace([&] { return static_cast<T>(reduce(std::move(*left), std::move(right))); });
  };
  std::map<std::uint64_t, run> runs;  // by first item; no two are adjacent
  std::uint64_t done = 0;
  bool more = true;
  for (;;) {
    if (more) {
      const bool sealed = call->is_sealed();  // only if the executor was shut down or broke
      if (sealed && feed.discard_one()) std::rethrow_exception(call->refusal());
      more = !sealed && feed.feed(*call, buffersize - (call->added() - done));
      if (!more && !sealed) call->end_input();
    }
    if (done == call->added()) {
      if (!more) break;
      continue;
    }
    auto chunk = call->take(std::nullopt, deadline);
    if (!chunk) std::rethrow_exception(time_out(*call, "transform_reduce", done));
    done += chunk->count;
    if (chunk->result.what != outcome::kind::value) std::rethrow_exception(chunk_error(chunk->first, chunk->result));
    byte_reader in(chunk->result.bytes, chunk->result.out_of_band);
    const std::uint64_t first = chunk->first;
    std::uint64_t count = chunk->count;
    boxed_if_large<T> value([&] { return decode_result<T>(in); });
    auto next = runs.lower_bound(first);
    if (next != runs.end() && next->first == first + count) {
      combine(value, *next->second.value);
      count += next->second.count;
      next = runs.erase(next);
    }
    if (next != runs.begin()) {
      auto& [before_first, before] = *std::prev(next);
      if (before_first + before.count == first) {
        combine(before.value, *value);
        before.count += count;
        continue;
      }
    }
    runs.emplace_hint(next, first, run{count, std::move(value)});
  }
  boxed_if_large<T> total([&]() -> T&& { return std::move(init); });
  for (auto& [first, run] : runs) combine(total, *run.value);
  return std::move(*total);
}

}  // namespace rankpool::detail
