// shared<T>: a value that every node is sent once, for any number of tasks.
//
// executor::share makes one; tasks take `const shared<T>&`. The elements of a std::vector of numbers, a std::string and a
// type of plain bytes lie in memory that all ranks of a node share, and are looked at there: `*b` is a
// std::span<const E>, a std::string_view, a const T&. Of any other type each rank makes its own object, once.
#pragma once

#include <rankpool/detail/codec.hpp>
#include <rankpool/detail/shared_data.hpp>
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

/// How a shared value is looked at, and its bytes found in it. `view`: what a handle keeps, a pointer or a view.
template <class T>
struct sharing {  // any type: by its encoding
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
  static view look(const shared_data& data) { return reinterpret_cast<const T*>(data.bytes().data()); }
};

template <bitwise E>
  requires(!std::is_same_v<E, bool>)
struct sharing<std::vector<E>> {
  using view = std::span<const E>;
  static constexpr bool in_place = true;
  static std::span<const std::byte> bytes(const std::vector<E>& value) { return std::as_bytes(std::span(value)); }
  static view look(const shared_data& data) {
    return {reinterpret_cast<const E*>(data.bytes().data()), data.bytes().size() / sizeof(E)};
  }
};

template <>
struct sharing<std::string> {
  using view = std::string_view;
  static constexpr bool in_place = true;
  static std::span<const std::byte> bytes(const std::string& value) { return std::as_bytes(std::span(value)); }
  static view look(const shared_data& data) { return {reinterpret_cast<const char*>(data.bytes().data()), data.bytes().size()}; }
};

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

template <class T>
class shared {
  using sharing = detail::sharing<T>;

 public:
  using value_type = T;

  /// Nothing.
  shared() = default;

  /// The value, or a view of it; valid as long as a handle on it in this process.
  decltype(auto) operator*() const {
    if constexpr (std::is_pointer_v<typename sharing::view>) {
      return static_cast<const T&>(*look());
    } else {
      return typename sharing::view(look());
    }
  }
  auto operator->() const {
    if constexpr (std::is_pointer_v<typename sharing::view>) {
      return look();
    } else {
      return &look();
    }
  }
  explicit operator bool() const noexcept { return data_ != nullptr; }
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
struct is_native<shared<T>> : std::true_type {};

template <class T>
struct codec<shared<T>> {
  static void encode(byte_writer& out, const shared<T>& value) {
    const auto& data = shared_access::data(value);
    out.put(data->id());
    out.keep(data);
  }
  static shared<T> decode(byte_reader& in) { return shared_access::make<T>(shared_data::find(in.get<std::uint64_t>())); }
};

}  // namespace detail
}  // namespace rankpool
