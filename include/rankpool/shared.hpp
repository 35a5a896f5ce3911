// shared<T>: a handle on a value that each node gets once, for any number of tasks.
//
// executor::share returns a handle; tasks take it as `const shared<T>&`. All ranks of a node share the memory of a std::vector of
// numbers, a std::string or a type of plain bytes, and `*handle` is a std::span<const E>, a std::string_view or a const T& into
// this memory. For any other type, each rank makes its own object from the shared bytes, once.
#pragma once

#include <rankpool/detail/codec/codec.hpp>
#include <rankpool/detail/shared/shared_data.hpp>
#include <rankpool/errors.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace rankpool {

template <class T>
class shared;

namespace detail {

/// How handles access a shared value. `view` is what a handle stores, a pointer or a view; `elements` returns the objects that may
/// have padding.
template <class T>
struct sharing {  // any type: shared as its encoding
  using view = const T*;
  static constexpr bool in_place = false;
  static view look(const shared_data& data) {
    return &data.object<T>([](std::span<const std::byte> bytes) {
      byte_reader in(bytes.data(), bytes.size());
      return detail::decode<T>(in);
    });
  }
};

template <bitwise T>
struct sharing<T> {
  using view = const T*;
  static constexpr bool in_place = true;
  static std::span<const std::byte> bytes(const T& value) { return std::as_bytes(std::span(&value, 1)); }
  static std::span<T> elements(T& value) { return {&value, 1}; }
  static view look(const shared_data& data) { return reinterpret_cast<const T*>(data.bytes().data()); }
};

template <bitwise E>
  requires(!std::is_same_v<E, bool>)
struct sharing<std::vector<E>> {
  using view = std::span<const E>;
  static constexpr bool in_place = true;
  static std::span<const std::byte> bytes(const std::vector<E>& value) { return std::as_bytes(std::span(value)); }
  static std::span<E> elements(std::vector<E>& value) { return value; }
  static view look(const shared_data& data) {
    return {reinterpret_cast<const E*>(data.bytes().data()), data.bytes().size() / sizeof(E)};
  }
};

template <>
struct sharing<std::string> {
  using view = std::string_view;
  static constexpr bool in_place = true;
  static std::span<const std::byte> bytes(const std::string& value) { return std::as_bytes(std::span(value)); }
  static std::span<char> elements(std::string& value) { return value; }
  static view look(const shared_data& data) { return {reinterpret_cast<const char*>(data.bytes().data()), data.bytes().size()}; }
};

/// Whether the bytes that `sharing` sends of a T may have padding.
template <class T>
inline constexpr bool has_padding_in = has_padding<typename decltype(sharing<T>::elements(std::declval<T&>()))::value_type>();

struct shared_access {
  template <class T>
  static shared<T> make(std::shared_ptr<const shared_data> data) {
    return shared<T>(std::move(data));
  }
  template <class T>
  static const std::shared_ptr<const shared_data>& data(const shared<T>& s) {
    if (s.data_ == nullptr) throw error("this shared value is empty: it was moved from or never came from share()");
    return s.data_;
  }
};

}  // namespace detail

/// A copyable handle on a shared value. All nodes free the memory when the last handle on rank 0 is destroyed and no task that got
/// a handle is left.
/// Throws: rankpool::error from `*` and `->` if the handle is empty.
/// Thread safety: several threads may read one value through the same or different handles.
template <class T>
class shared {
  using sharing = detail::sharing<T>;

 public:
  using value_type = T;

  /// Constructs an empty handle.
  shared() = default;

  /// Returns the value: a std::span<const E> for a std::vector<E> of plain bytes, a std::string_view for a std::string, a const T&
  /// for any other type.
  /// Lifetime: the result is valid as long as this process has a handle on the value.
  decltype(auto) operator*() const {
    if constexpr (std::is_pointer_v<typename sharing::view>) {
      return static_cast<const T&>(*look());
    } else {
      return typename sharing::view(look());
    }
  }

  /// Returns a pointer to the value or its view.
  /// Lifetime: the pointer to a view is valid as long as this handle; the pointer to any other value as for `*`.
  auto operator->() const {
    if constexpr (std::is_pointer_v<typename sharing::view>) {
      return look();
    } else {
      return &look();
    }
  }

  /// Returns whether the handle refers to a value.
  explicit operator bool() const noexcept { return data_ != nullptr; }

  /// Returns whether both handles refer to the same shared value, or both are empty.
  friend bool operator==(const shared& a, const shared& b) noexcept { return a.data_ == b.data_; }

 private:
  friend struct detail::shared_access;
  explicit shared(std::shared_ptr<const detail::shared_data> data) : data_(std::move(data)), view_(sharing::look(*data_)) {}

  const typename sharing::view& look() const {
    (void)detail::shared_access::data(*this);
    return view_;
  }

  std::shared_ptr<const detail::shared_data> data_;
  typename sharing::view view_{};
};

namespace detail {

template <class T>
struct components<shared<T>> : consists_of<> {};

template <class T>
struct codec<shared<T>> {
  static void encode(byte_writer& out, const shared<T>& value) {
    const auto& data = shared_access::data(value);
    out.refer_to(data, out.size());
    out.put(data->id());
  }
  static shared<T> decode(byte_reader& in) { return shared_access::make<T>(shared_data::find(in.get<std::uint64_t>())); }
  static void skip(byte_reader& in) { (void)in.take(sizeof(std::uint64_t)); }
};

}  // namespace detail
}  // namespace rankpool
