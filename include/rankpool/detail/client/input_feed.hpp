// Reads a map's input ranges on the caller's thread and adds their items to the job.
//
// With a buffersize it lives on in the map_results and reads on as results are taken; without, it has read
// everything when map returns. Ranges given as lvalues are only referred to.
#pragma once

#include <rankpool/detail/call/callable.hpp>
#include <rankpool/detail/client/map_job.hpp>

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

/// What map_options::buffersize says: the most items that are read ahead. Throws std::invalid_argument if it is negative.
std::uint64_t buffer_limit(long long buffersize);

/// Brings up to `most` more items into the job and tells the pool; false once the input has ended. Reads no item
/// ahead, and stops when the job is sealed. Throws what reading the input throws; the items before are in the job.
class input_feed {
 public:
  virtual ~input_feed() = default;
  virtual bool feed(map_job& job, std::uint64_t most) = 0;
  /// Whether there is any further item; it is lost. For when no more can be fed.
  virtual bool discard_one() = 0;
};

template <class Range>
inline constexpr bool is_counted = false;
template <class W, class Bound>
inline constexpr bool is_counted<std::ranges::iota_view<W, Bound>> = std::integral<W> && sizeof(W) <= sizeof(std::uint64_t) &&
                                                                     !std::same_as<W, bool> &&
                                                                     (std::integral<Bound> ||
                                                                      std::same_as<Bound, std::unreachable_sentinel_t>);

/// Consecutive integers: the source is told how many there are, none is looked at.
template <class Integer>
class counted_feed final : public input_feed {
 public:
  using items = counted_items<Integer>;

  template <class Bound>
  explicit counted_feed(const std::ranges::iota_view<Integer, Bound>& range) : from_(*std::ranges::begin(range)) {
    if constexpr (!std::same_as<Bound, std::unreachable_sentinel_t>) left_ = static_cast<std::uint64_t>(range.size());
  }

  std::unique_ptr<item_source> source() const { return std::make_unique<counted_source<Integer>>(from_); }

  bool feed(map_job& job, std::uint64_t most) override {
    if (job.sealed()) return left_ > 0;
    const std::uint64_t n = std::min(left_, most);
    left_ -= n;
    job.append([&](item_source&) { return n; }, true);
    job.owner().changed(&job);
    return left_ > 0;
  }

  bool discard_one() override { return left_ > 0; }

 private:
  Integer from_;
  std::uint64_t left_ = no_limit;
};

/// An input range as a feed keeps it: referred to if it is an lvalue, by value if it is a view or an rvalue.
// Not std::views::all_t, whose result Clang before 16 cannot compile.
template <class Range>
using held_range = std::conditional_t<std::ranges::enable_view<std::remove_cvref_t<Range>>, std::remove_cvref_t<Range>, Range>;

/// Any input ranges, zipped to the shortest; each item is encoded as `Stored`. `Unpack`: one range of tuples,
/// each of which is a pack of arguments.
template <class Stored, bool Unpack, class... Ranges>
class packed_feed final : public input_feed {
 public:
  using items = packed_items<Stored>;

  explicit packed_feed(Ranges... ranges) : ranges_(std::forward<Ranges>(ranges)...) {}

  std::unique_ptr<item_source> source() const { return std::make_unique<packed_source>(); }

  bool feed(map_job& job, std::uint64_t most) override {
    constexpr std::size_t block_bytes = 256 << 10;  // work starts on one block while the next is being read
    bool more = true;
    while (more && most > 0 && !job.sealed()) {
      item_block block;
      std::exception_ptr failure;
      try {
        while (most > 0 && block.bytes.size() < block_bytes && (more = advance())) {
          write_item(block.bytes);
          block.ends.push_back(block.bytes.size());
          --most;
        }
      } catch (...) {
        failure = std::current_exception();
      }
      const std::uint64_t n = block.ends.size();
      if (!kept_.empty()) job.keep(std::exchange(kept_, {}));
      job.append(
          [&](item_source& source) {
            static_cast<packed_source&>(source).append(std::move(block));
            return n;
          },
          most == 0 || !more || failure != nullptr);
      job.owner().changed(&job);
      if (failure != nullptr) std::rethrow_exception(failure);
    }
    return more;
  }

  bool discard_one() override { return advance(); }

 private:
  using positions = std::tuple<std::ranges::iterator_t<Ranges>...>;

  // To the next item; false at the end of the shortest range.
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

  void write_item(byte_buffer& to) {
    byte_writer out(to, nullptr, &kept_);
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
  keepers kept_;  // what the items of the block that is being read refer to
};

}  // namespace rankpool::detail
