// The functions that run on a worker: read callable and arguments, call, write the result.
//
// Each is one template instance per kind of task, and its address is what the message names. A failure to
// read or write is a serialization_error; what the task itself throws passes through untouched.
#pragma once

#include <rankpool/detail/callable.hpp>
#include <rankpool/detail/exception_codec.hpp>

#include <cstring>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace rankpool::detail {

/// Reads a task from `in`, runs it and writes what it returns to `out`.
using task_function = void (*)(byte_reader& in, byte_writer& out);

/// Turns whatever a serialiser throws into a serialization_error that says what could not be done.
[[noreturn]] void rethrow_as_serialization_error(const char* doing);

template <class Stored, class... S>
Stored decode_arguments(byte_reader& in, std::type_identity<std::tuple<S...>>) {
  return Stored{decode<S>(in)...};
}

template <class Stored>
Stored decode_arguments(byte_reader& in) {
  return decode_arguments<Stored>(in, std::type_identity<Stored>{});
}

template <class F>
F decode_callable(byte_reader& in) {
  try {
    return callable_codec<F>::decode(in);
  } catch (...) {
    rethrow_as_serialization_error("the callable could not be read");
  }
}

template <class Stored>
Stored decode_task_arguments(byte_reader& in) {
  try {
    return decode_arguments<Stored>(in);
  } catch (...) {
    rethrow_as_serialization_error("an argument could not be read");
  }
}

template <class R>
void encode_result(byte_writer& out, R result) {
  try {
    encode_moved(out, std::move(result));
  } catch (...) {
    rethrow_as_serialization_error("the result could not be written");
  }
}

template <class R>
R decode_result(byte_reader& in) {
  try {
    return decode<R>(in);
  } catch (...) {
    rethrow_as_serialization_error("the result could not be read");
  }
}

// std::tuple<> and std::tuple<T> make poor initialisers of themselves; apply with moved elements covers all.
template <class F, class Stored>
decltype(auto) call(F& f, Stored&& arguments) {
  return std::apply(
      [&](auto&&... argument) -> decltype(auto) { return f(std::forward<decltype(argument)>(argument)...); },
      std::forward<Stored>(arguments));
}

/// One call of F: the whole of a submitted task.
template <class F, class Stored>
void run_call(byte_reader& in, byte_writer& out) {
  F f = decode_callable<F>(in);
  Stored arguments = decode_task_arguments<Stored>(in);
  if constexpr (std::is_void_v<task_result_t<F, Stored>>) {
    call(f, std::move(arguments));
  } else {
    encode_result<task_result_t<F, Stored>>(out, call(f, std::move(arguments)));
  }
}

/// One call of F without arguments, its result dropped: an initializer.
template <class F>
void run_procedure(byte_reader& in, byte_writer&) {
  F f = decode_callable<F>(in);
  (void)f();
}

// ---- pieces of a map: n items in, one outcome for each out

/// Items by their bytes. Where user code does the encoding, each has its length, so that one item which cannot
/// be written or read does not take the others along; one that could not be written carries the reason instead.
template <class Stored>
class packed_items {
  static constexpr bool delimited = !is_native<Stored>::value;
  static constexpr std::uint64_t unwritable = std::uint64_t{1} << 63;

 public:
  template <class Write>
  static void write(byte_writer& out, Write write_arguments) {
    if constexpr (delimited) {
      const std::size_t length = out.hole<std::uint64_t>();
      const std::size_t begin = out.size();
      std::uint64_t flag = 0;
      try {
        write_arguments();
      } catch (const std::exception& e) {
        flag = unwritable;
        out.buffer().resize(begin);
        out.raw(e.what(), std::strlen(e.what()));
      } catch (...) {
        flag = unwritable;
        out.buffer().resize(begin);
      }
      out.patch<std::uint64_t>(length, (out.size() - begin) | flag);
    } else {
      write_arguments();
    }
  }

  explicit packed_items(byte_reader& in) : in_(in) {}

  Stored next() {
    if constexpr (delimited) {
      const auto length = in_.get<std::uint64_t>();
      byte_reader item = in_.sub(length & ~unwritable);
      if ((length & unwritable) != 0) {
        const std::size_t n = item.remaining();
        throw serialization_error("an item of the input could not be written: " +
                                  std::string(reinterpret_cast<const char*>(item.take(n)), n));
      }
      return decode_task_arguments<Stored>(item);
    } else {
      return decode_task_arguments<Stored>(in_);
    }
  }

 private:
  byte_reader& in_;
};

/// Consecutive integers: only the first is sent.
template <class Integer>
class counted_items {
 public:
  explicit counted_items(byte_reader& in) : next_(in.get<Integer>()) {}
  std::tuple<Integer> next() { return {next_++}; }

 private:
  Integer next_;
};

/// Calls F on every item of a piece. A failing item is noted in its place and the others go on.
template <class F, class Stored, class Items>
void run_map_piece(byte_reader& in, byte_writer& out) {
  using R = task_result_t<F, Stored>;
  F f = decode_callable<F>(in);
  const auto count = in.get<std::uint64_t>();
  Items items(in);
  byte_buffer failures;  // (index, exception) of each that failed
  byte_writer failure_writer(failures);
  std::uint64_t failed = 0;
  const std::size_t results_length = out.hole<std::uint64_t>();
  const std::size_t begin = out.size();
  for (std::uint64_t i = 0; i < count; ++i) {
    const byte_writer::position mark = out.at();
    try {
      if constexpr (std::is_void_v<R>) {
        call(f, items.next());
      } else {
        encode_result<R>(out, call(f, items.next()));
      }
    } catch (...) {
      out.rewind(mark);
      failure_writer.put<std::uint64_t>(i);
      encode_current_exception(failure_writer);
      ++failed;
    }
  }
  out.patch<std::uint64_t>(results_length, out.size() - begin);
  out.put<std::uint64_t>(failed);
  out.raw(failures.data(), failures.size());
}

// ---- pieces of a transform_reduce: n items in, one value out

/// Transforms every item of a piece and folds the results from the left, starting with the first.
template <class T, class Reduce, class Transform, class Stored, class Items>
void run_reduce_piece(byte_reader& in, byte_writer& out) {
  Reduce reduce = decode_callable<Reduce>(in);
  Transform transform = decode_callable<Transform>(in);
  const auto count = in.get<std::uint64_t>();
  if (count == 0) throw serialization_error("a piece of no items was received");
  Items items(in);
  T total = static_cast<T>(call(transform, items.next()));
  for (std::uint64_t i = 1; i < count; ++i) total = static_cast<T>(reduce(std::move(total), call(transform, items.next())));
  encode_result<T>(out, total);
}

}  // namespace rankpool::detail
