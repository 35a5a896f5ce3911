// Reads the input ranges of a map on the caller's thread and adds their items to the call.
//
// Without a buffersize, it reads all input during executor::map. With a buffersize, the map_results own it, and it reads further
// input as results are taken. It refers to ranges that were passed as lvalues, and owns the others.
#pragma once

#include <rankpool/detail/call/callable.hpp>
#include <rankpool/detail/call/invocation.hpp>
#include <rankpool/detail/map/item_source.hpp>
#include <rankpool/detail/map/map_call.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>

namespace rankpool::detail {

inline constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

/// Returns the maximum number of items that are read ahead: map_options::buffersize, or no_limit for 0.
/// Throws: std::invalid_argument if it is negative.
std::uint64_t buffer_limit(long long buffersize);

/// The input of a map. Lifetime: ranges that were passed as lvalues must outlive it.
class input_feed {
 public:
  virtual ~input_feed() = default;
  /// Returns an empty source for items of this input.
  virtual std::unique_ptr<item_source> source() const = 0;
  /// Adds up to `most` further items to the call. Returns false once the input has ended. Stops early if the call is sealed.
  /// Throws: what reading the input throws; the items before are added.
  virtual bool feed(map_call& call, std::uint64_t most) = 0;
  /// Reads one item and discards it. Returns false if the input has ended. Call it when the map_call is
  /// sealed, to find out whether input is left.
  virtual bool discard_one() = 0;
};

template <class Range>
inline constexpr bool is_counted = false;
template <class W, class Bound>
inline constexpr bool is_counted<std::ranges::iota_view<W, Bound>> = std::integral<W> && sizeof(W) <= sizeof(std::uint64_t) &&
                                                                     !std::same_as<W, bool> &&
                                                                     (std::integral<Bound> ||
                                                                      std::same_as<Bound, std::unreachable_sentinel_t>);

/// Consecutive integers, of which only the number is added to the call.
template <class Integer>
class counted_feed final : public input_feed {
 public:
  using items = counted_items<Integer>;

  template <class Bound>
  explicit counted_feed(const std::ranges::iota_view<Integer, Bound>& range) : from_(*std::ranges::begin(range)) {
    if constexpr (!std::same_as<Bound, std::unreachable_sentinel_t>) left_ = static_cast<std::uint64_t>(range.size());
  }

  std::unique_ptr<item_source> source() const override { return std::make_unique<counted_source<Integer>>(from_); }

  bool feed(map_call& call, std::uint64_t most) override {
    if (call.is_sealed()) return left_ > 0;
    const std::uint64_t n = std::min(left_, most);
    left_ -= n;
    item_batch batch;
    batch.count = n;
    call.add(std::move(batch), true);
    return left_ > 0;
  }

  bool discard_one() override { return left_ > 0; }

 private:
  Integer from_;
  std::uint64_t left_ = no_limit;
};

/// The type in which a feed stores an input range: a reference for an lvalue, a value for a view or an rvalue.
// std::views::all_t does not compile with Clang before version 16.
template <class Range>
using held_range = std::conditional_t<std::ranges::enable_view<std::remove_cvref_t<Range>>, std::remove_cvref_t<Range>, Range>;

/// Any input ranges, zipped to the shortest. Each item is encoded as `Stored`. `Unpack`: there is one range of tuples, and each
/// tuple has the arguments of one call.
template <class Stored, bool Unpack, class... Ranges>
class packed_feed final : public input_feed {
 public:
  using items = packed_items<Stored>;

  explicit packed_feed(Ranges... ranges) : ranges_(std::forward<Ranges>(ranges)...) {}

  std::unique_ptr<item_source> source() const override { return std::make_unique<packed_source>(); }

  bool feed(map_call& call, std::uint64_t most) override {
    constexpr std::size_t batch_bytes = 256 << 10;  // workers start on one batch while the next is read
    bool more = true;
    while (more && most > 0 && !call.is_sealed()) {
      item_batch batch;
      std::exception_ptr failure;
      try {
        while (most > 0 && batch.bytes.size() < batch_bytes && (more = advance())) {
          write_item(batch, call.needs_every_reference());
          batch.ends.push_back(batch.bytes.size());
          ++batch.count;
          --most;
        }
      } catch (...) {
        failure = std::current_exception();
      }
      call.add(std::move(batch), most == 0 || !more || failure != nullptr);
      if (failure != nullptr) std::rethrow_exception(failure);
    }
    return more;
  }

  bool discard_one() override { return advance(); }

 private:
  using positions = std::tuple<std::ranges::iterator_t<Ranges>...>;

  // Moves to the next item. Returns false at the end of the shortest range.
  bool advance() {
    if (at_) {
      std::apply([](auto&... it) { (++it, ...); }, *at_);
    } else {
      at_.emplace(std::apply([](auto&... range) { return positions(std::ranges::begin(range)...); }, ranges_));
    }
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return !((std::get<I>(*at_) == std::ranges::end(std::get<I>(ranges_))) || ...);
    }
    (std::index_sequence_for<Ranges...>{});
  }

  void write_item(item_batch& to, bool every_reference) {
    byte_writer out(to.bytes, nullptr, &to.references, every_reference);
    std::apply(
        [&](auto&... it) {
          if constexpr (Unpack) {
            std::apply([&](auto&&... argument) { write_arguments(out, std::forward<decltype(argument)>(argument)...); }, *it...);
          } else {
            write_arguments(out, *it...);
          }
        },
        *at_);
  }

  template <class... A>
  static void write_arguments(byte_writer& out, A&&... arguments) {
    packed_items<Stored>::write(out, [&] {
      [&]<std::size_t... I>(std::index_sequence<I...>) {
        (encode_as<typename Stored::template type<I>>(out, std::forward<A>(arguments)), ...);
      }
      (std::index_sequence_for<A...>{});
    });
  }

  std::tuple<Ranges...> ranges_;
  std::optional<positions> at_;
};

}  // namespace rankpool::detail
