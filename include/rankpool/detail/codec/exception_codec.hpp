// Encodes the exception that is being handled, and decodes an exception_ptr.
//
// A registry has an encoder and a decoder for each type that is rethrown as the same type. The rebuilt object derives from the
// type and from remote_origin, so `catch` works as in one process, and remote_context() finds where the exception was thrown.
// Nested exceptions are sent along.
#pragma once

#include <rankpool/detail/wire/bytes.hpp>
#include <rankpool/detail/wire/worker_place.hpp>
#include <rankpool/errors.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace rankpool::detail {

/// Writes the exception that is being handled. Call it within a catch clause only.
void encode_current_exception(byte_writer& out);

/// Makes encode_current_exception() call `translate` first, in all threads of this process. If `translate` throws, its exception is
/// written in place of the one that is being handled.
void translate_exceptions(void (*translate)());

/// Reads an exception that encode_current_exception() wrote. Its remote_info names `where`, `task` (see remote_info::task), and the
/// type and trace from the encoding. No other function makes a remote_info. Throws: serialization_error.
std::exception_ptr decode_exception(byte_reader& in, const worker_place& where, std::uint64_t task);

/// A rebuilt exception: an E with its original message and its origin.
template <class E>
class remote final : public E, public remote_origin {
 public:
  remote(E e, remote_info where, std::string message)
      : E(std::move(e)), remote_origin(std::move(where)), message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

/// A rebuilt exception with a nested exception.
template <class E>
class remote_with_nested final : public E, public remote_origin, public std::nested_exception {
 public:
  remote_with_nested(E e, remote_info where, std::string message)
      : E(std::move(e)), remote_origin(std::move(where)), message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

/// A rebuilt exception of a type that does not derive from std::exception and so has no what().
template <class E>
class remote_plain final : public E, public remote_origin {
 public:
  remote_plain(E e, remote_info where) : E(std::move(e)), remote_origin(std::move(where)) {}
};

/// Returns an exception_ptr to an `e` with its origin and, unless null, with `nested` as its nested exception.
template <class E>
std::exception_ptr make_remote(E e, remote_info where, std::string message, const std::exception_ptr& nested) {
  if constexpr (!std::is_class_v<E> || std::is_final_v<E>) {
    return std::make_exception_ptr(std::move(e));  // no class can derive from E, so the origin is lost
  } else if constexpr (!std::is_base_of_v<std::exception, E>) {
    return std::make_exception_ptr(remote_plain<E>(std::move(e), std::move(where)));
  } else if (nested == nullptr) {
    return std::make_exception_ptr(remote<E>(std::move(e), std::move(where), std::move(message)));
  } else {
    try {
      std::rethrow_exception(nested);
    } catch (...) {  // std::nested_exception captures the exception that is being handled
      if constexpr (std::is_base_of_v<std::nested_exception, E>) {
        if constexpr (std::is_convertible_v<E*, std::nested_exception*>)
          static_cast<std::nested_exception&>(e) = std::nested_exception();
        return std::make_exception_ptr(remote<E>(std::move(e), std::move(where), std::move(message)));
      } else {
        return std::make_exception_ptr(remote_with_nested<E>(std::move(e), std::move(where), std::move(message)));
      }
    }
  }
}

/// The encoder and the decoder of one exception type.
struct exception_type {
  const std::type_info* type;
  void (*encode)(byte_writer& out);  // called within a catch clause
  std::exception_ptr (*decode)(byte_reader& in, remote_info where, std::string message, const std::exception_ptr& nested);
};

/// Registers a type. If a type is registered several times, the latest registration that has not been removed is used.
void register_exception(const exception_type& type);
/// Removes one registration of the type with the same functions, because their library is being unloaded.
void unregister_exception(const exception_type& type) noexcept;

/// Rethrows the exception that is being handled as a serialization_error whose message begins with `failure`. Call it within a
/// catch clause only.
[[noreturn]] void rethrow_as_serialization_error(const char* failure);

}  // namespace rankpool::detail
