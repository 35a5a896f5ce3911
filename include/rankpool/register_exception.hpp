// RANKPOOL_REGISTER_EXCEPTION(type): makes an exception type of the program known, so that it arrives on rank 0 with its own type.
//
// Write the macro at namespace scope. The type must be copyable and serialisable with Boost.Serialization. Its message and all
// archived members arrive as they were thrown. Exceptions of unregistered types arrive as remote_error.
//
// rankpool rethrows an object of a class that derives from the type and adds the context. Therefore exceptions of a final class, or
// of a type that is not a class, arrive without context. A class whose what() is final cannot be registered.
//
// The registration ends when the program or library that contains it is unloaded.
#pragma once

#include <rankpool/detail/codec/boost_archive.hpp>
#include <rankpool/detail/codec/exception_codec.hpp>

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

  static std::exception_ptr decode(byte_reader& in, remote_info where, std::string message, const std::exception_ptr& nested) {
    return make_remote(boost_load<E>(in), std::move(where), std::move(message), nested);
  }

  registered_exception() { register_exception(functions()); }
  ~registered_exception() { unregister_exception(functions()); }
  registered_exception(const registered_exception&) = delete;
  registered_exception& operator=(const registered_exception&) = delete;

 private:
  static exception_type functions() { return {&typeid(E), &encode, &decode}; }
};

}  // namespace rankpool::detail

#define RANKPOOL_DETAIL_JOIN2(a, b) a##b
#define RANKPOOL_DETAIL_JOIN(a, b) RANKPOOL_DETAIL_JOIN2(a, b)

/// Registers an exception type. Use it at namespace scope, with or without a semicolon.
#define RANKPOOL_REGISTER_EXCEPTION(...)                                                                    \
  [[maybe_unused]] static const ::rankpool::detail::registered_exception<__VA_ARGS__> RANKPOOL_DETAIL_JOIN( \
      rankpool_registered_exception_, __COUNTER__){};
