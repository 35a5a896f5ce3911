// A replacement for a local variable that is on the heap if it is large. A stack has only a few megabytes, and on rank 0 the user's
// program needs them as well.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace rankpool::detail {

/// The size, in bytes, above which an object is allocated on the heap.
inline constexpr std::size_t max_stack_bytes = 4096;

template <class T>
inline constexpr bool is_large = sizeof(T) > max_stack_bytes;

/// A value of type T, on the heap if is_large<T>.
template <class T>
class boxed_if_large {
 public:
  /// Initialises the value with the result of `make()`, without a copy if that is a T.
  template <class Make>
  explicit boxed_if_large(Make&& make) : value_(std::forward<Make>(make)()) {}

  T& operator*() { return value_; }
  const T& operator*() const { return value_; }

  /// Replaces the value by the result of `make()`. The old value lives until `make()` returns.
  template <class Make>
  void replace(Make&& make) {
    value_ = std::forward<Make>(make)();
  }

 private:
  T value_;
};

template <class T>
  requires is_large<T>
class boxed_if_large<T> {
 public:
  template <class Make>
  explicit boxed_if_large(Make&& make) : value_(new T(std::forward<Make>(make)())) {}

  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }

  template <class Make>
  void replace(Make&& make) {
    value_.reset(new T(std::forward<Make>(make)()));
  }

 private:
  std::unique_ptr<T> value_;
};

}  // namespace rankpool::detail
