// RANKPOOL_REGISTER_EXCEPTION(type): an own exception type that comes back from a worker whole.
//
// Stands at namespace scope in the program. The type must be copyable and Boost-serialisable; its message and
// every archived member arrive as they were thrown. Unregistered types arrive as remote_error.
//
// What is thrown on rank 0 is a class derived from the type, which adds where it happened. So a final class, or a type
// that is no class, comes back without its context, and a class whose what() is final cannot be registered.
#pragma once

#include <rankpool/detail/boost_archive.hpp>
#include <rankpool/detail/exception_codec.hpp>

namespace rankpool::detail {

template <class E>
struct registered_exception {
  static_assert(std::is_copy_constructible_v<E>, "RANKPOOL_REGISTER_EXCEPTION: the type must be copyable");

  static void encode(byte_writer& out) {
    try {
      throw;
    } catch (const E& e) {
      boost_save(out, e);
    }
  }

  static std::exception_ptr decode(byte_reader& in, remote_info where, std::string message,
                                   const std::exception_ptr& nested) {
    return make_remote(boost_load<E>(in), std::move(where), std::move(message), nested);
  }

  registered_exception() { register_exception({&typeid(E), &encode, &decode}); }
};

}  // namespace rankpool::detail

#define RANKPOOL_DETAIL_JOIN2(a, b) a##b
#define RANKPOOL_DETAIL_JOIN(a, b) RANKPOOL_DETAIL_JOIN2(a, b)

/// At namespace scope, with or without a semicolon: exceptions of this type come back from a worker as themselves.
#define RANKPOOL_REGISTER_EXCEPTION(...)                                       \
  [[maybe_unused]] static const ::rankpool::detail::registered_exception<__VA_ARGS__> \
      RANKPOOL_DETAIL_JOIN(rankpool_registered_exception_, __COUNTER__) {};
