// The functions that run on a worker. They decode the callable and its arguments, call it, and encode the result.
//
// Each kind of task has its own template instance, whose address is in the message. A failure to decode or encode is a
// serialization_error. Exceptions of the task itself pass through unchanged.
#pragma once

#include <rankpool/detail/call/callable.hpp>
#include <rankpool/detail/call/chunk_writer.hpp>
#include <rankpool/detail/call/item_range.hpp>
#include <rankpool/detail/codec/boxed_if_large.hpp>
#include <rankpool/detail/codec/exception_codec.hpp>
#include <rankpool/detail/codec/skip.hpp>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace rankpool::detail {

/// Reads a task from `in`, runs it and writes its result to `out`.
using task_function = void (*)(byte_reader& in, byte_writer& out);

/// Reads a callable. Throws: serialization_error.
template <class F>
F decode_callable(byte_reader& in) {
  try {
    return callable_codec<F>::decode(in);
  } catch (...) {
    rethrow_as_serialization_error("the callable could not be read");
  }
}

/// Reads the arguments of a task. Throws: serialization_error.
template <class Stored>
Stored decode_task_arguments(byte_reader& in) {
  try {
    return Stored(in);
  } catch (...) {
    rethrow_as_serialization_error("an argument could not be read");
  }
}

/// Decodes the arguments of the next of several calls. Throws: as decode_or_skip() does.
template <class Stored, class... S>
Stored decode_next_arguments(byte_reader& in, std::type_identity<argument_pack<S...>>) {
  return decode_or_skip<S...>(in, decode_task_arguments<Stored>);
}

/// Writes a result. Throws: serialization_error.
template <class R>
void encode_result(byte_writer& out, R&& result) {
  try {
    encode_moved(out, std::move(result));
  } catch (...) {
    rethrow_as_serialization_error("the result could not be written");
  }
}

/// Reads a result. Throws: serialization_error.
template <class R>
R decode_result(byte_reader& in) {
  try {
    return decode<R>(in);
  } catch (...) {
    rethrow_as_serialization_error("the result could not be read");
  }
}

/// Reads the next of several results. Throws: as decode_or_skip() does.
template <class R>
R decode_next_result(byte_reader& in) {
  return decode_or_skip<R>(in, decode_result<R>);
}

/// Calls f with the arguments, which it moves from.
template <class F, class Stored>
decltype(auto) call(F& f, Stored& arguments) {
  return arguments.apply([&](auto&... argument) -> decltype(auto) { return f(std::move(argument)...); });
}

/// Calls f and writes its result.
template <class R, class F, class Stored>
void call_and_encode(byte_writer& out, F& f, Stored& arguments) {
  if constexpr (std::is_void_v<R>) {
    call(f, arguments);
  } else {
    boxed_if_large<R> result([&]() -> decltype(auto) { return call(f, arguments); });
    encode_result<R>(out, std::move(*result));
  }
}

/// Runs a submitted task: one call of F.
template <class F, class Stored>
void run_call(byte_reader& in, byte_writer& out) {
  boxed_if_large<F> f([&] { return decode_callable<F>(in); });
  boxed_if_large<Stored> arguments([&] { return decode_task_arguments<Stored>(in); });
  call_and_encode<task_result_t<F, Stored>>(out, *f, *arguments);
}

/// Runs an initializer: one call of F without arguments. The result is discarded.
template <class F>
void run_procedure(byte_reader& in, byte_writer&) {
  boxed_if_large<F> f([&] { return decode_callable<F>(in); });
  (void)(*f)();
}

// ---- chunks of a map: n items in, n results or exceptions out

/// Encoded items. If user code encodes them, each item has a length prefix, and an item that could not be encoded is replaced by
/// the error message. Items of native types have no length prefix. In both forms an item that cannot be decoded affects no other
/// item.
template <class Stored>
class packed_items {
  static constexpr bool delimited = !is_native<Stored>::value;
  static constexpr std::uint64_t unwritable = std::uint64_t{1} << 63;

 public:
  template <class Write>
  static void write(byte_writer& out, Write write_arguments) {
    if constexpr (delimited) {
      const std::size_t length = out.hole<std::uint64_t>();
      const byte_writer::position begin = out.at();
      std::uint64_t flag = 0;
      try {
        write_arguments();
      } catch (const std::exception& e) {
        flag = unwritable;
        out.rewind(begin);
        out.raw(e.what(), std::strlen(e.what()));
      } catch (...) {
        flag = unwritable;
        out.rewind(begin);
      }
      out.patch<std::uint64_t>(length, (out.size() - begin.bytes) | flag);
    } else {
      write_arguments();
    }
  }

  explicit packed_items(byte_reader& in) : in_(in) {}

  Stored next() {
    if constexpr (delimited) {
      const auto length = in_.get<std::uint64_t>();
      if ((length & ~unwritable) > in_.remaining()) in_.lose_position();
      byte_reader item = in_.sub(length & ~unwritable);
      if ((length & unwritable) != 0) {
        const std::size_t n = item.remaining();
        throw serialization_error("an item of the input could not be written: " +
                                  std::string(reinterpret_cast<const char*>(item.take(n)), n));
      }
      return decode_task_arguments<Stored>(item);
    } else {
      return decode_next_arguments<Stored>(in_, std::type_identity<Stored>{});
    }
  }

  /// Moves past the next item.
  void skip() {
    if constexpr (delimited) {
      (void)in_.take(in_.get<std::uint64_t>() & ~unwritable);
    } else {
      skip_arguments(std::type_identity<Stored>{});
    }
  }

 private:
  template <class... S>
  void skip_arguments(std::type_identity<argument_pack<S...>>) {
    (detail::skip<S>(in_), ...);
  }

  byte_reader& in_;
};

/// Consecutive integers, of which only the first is sent.
template <class Integer>
class counted_items {
 public:
  explicit counted_items(byte_reader& in) : next_(in.get<Integer>()) {}
  argument_pack<Integer> next() { return argument_pack<Integer>(std::in_place, next_++); }
  void skip() { ++next_; }

 private:
  Integer next_;
};

/// Runs a chunk of a map: calls F on every item. The exception of a failed item is recorded, and the other items run.
template <class F, class Stored, class Items>
void run_map_chunk(byte_reader& in, byte_writer& out) {
  using R = task_result_t<F, Stored>;
  boxed_if_large<F> f([&] { return decode_callable<F>(in); });
  const item_range range = item_range::read(in);
  Items items(in);
  chunk_writer outcomes(out);
  for (std::uint64_t i = 0; i < range.skipped + outcomes.first(); ++i) items.skip();
  for (std::uint64_t i = outcomes.first(); i < range.count; ++i) {
    outcomes.begin(i);
    try {
      boxed_if_large<decltype(items.next())> arguments([&] { return items.next(); });
      call_and_encode<R>(out, *f, *arguments);
    } catch (...) {
      outcomes.fail();
    }
  }
  outcomes.finish();
}

// ---- chunks of a transform_reduce: n items in, one value out

/// Runs a chunk of a transform_reduce: transforms every item and folds the results from the left, starting with the first.
template <class T, class Reduce, class Transform, class Stored, class Items>
void run_reduce_chunk(byte_reader& in, byte_writer& out) {
  boxed_if_large<Reduce> reduce([&] { return decode_callable<Reduce>(in); });
  boxed_if_large<Transform> transform([&] { return decode_callable<Transform>(in); });
  const item_range range = item_range::read(in);
  if (range.count == 0) throw serialization_error("received a chunk without items");
  Items items(in);
  for (std::uint64_t i = 0; i < range.skipped; ++i) items.skip();
  item_progress* const progress = item_progress::current();
  std::atomic<std::uint64_t>& note = item_note();
  if (progress != nullptr) progress->on_item();
  const auto next = [&] { return boxed_if_large<decltype(items.next())>([&] { return items.next(); }); };
  using transformed = task_result_t<Transform, Stored>;
  auto first = next();
  boxed_if_large<T> total([&] { return static_cast<T>(call(*transform, *first)); });
  for (std::uint64_t i = 1; i < range.count; ++i) {
    if (progress != nullptr) progress->on_item();
    note.store(i, std::memory_order_release);
    auto arguments = next();
    boxed_if_large<transformed> item([&]() -> decltype(auto) { return call(*transform, *arguments); });
    total.replace([&] { return static_cast<T>((*reduce)(std::move(*total), std::move(*item))); });
  }
  encode_result<T>(out, std::move(*total));
}

}  // namespace rankpool::detail
