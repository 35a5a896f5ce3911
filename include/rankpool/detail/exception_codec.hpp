// How an exception travels: the exception being handled to bytes, and bytes to an exception_ptr.
//
// A registry knows, for each type that comes back as itself, how to write and rebuild it. The rebuilt object
// derives from the type and from remote_origin, so `catch` works as in one process and remote_context finds
// where it was thrown. Nested exceptions travel along.
#pragma once

#include <rankpool/detail/bytes.hpp>
#include <rankpool/errors.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace rankpool::detail {

/// Writes the exception that is being handled. Call within a catch clause only.
void encode_current_exception(byte_writer& out);

/// Rebuilds what encode_current_exception wrote. `where` lacks only the type name and trace, which travel.
std::exception_ptr decode_exception(byte_reader& in, remote_info where);

// The rebuilt object: E itself, with the message it had there and its origin.
template <class E>
class remote final : public E, public remote_origin {
 public:
  remote(E e, remote_info where, std::string message)
      : E(std::move(e)), remote_origin(std::move(where)), message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

template <class E>
class remote_with_nested final : public E, public remote_origin, public std::nested_exception {
 public:
  remote_with_nested(E e, remote_info where, std::string message)
      : E(std::move(e)), remote_origin(std::move(where)), message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

// For registered types that do not derive from std::exception: there is no what() to keep.
template <class E>
class remote_plain final : public E, public remote_origin {
 public:
  remote_plain(E e, remote_info where) : E(std::move(e)), remote_origin(std::move(where)) {}
};

/// Makes `e` an exception_ptr that knows its origin, and holds `nested` where there is one.
template <class E>
std::exception_ptr make_remote(E e, remote_info where, std::string message, const std::exception_ptr& nested) {
  if constexpr (!std::is_class_v<E> || std::is_final_v<E>) {
    return std::make_exception_ptr(std::move(e));  // cannot be derived from: comes back without its origin
  } else if constexpr (!std::is_base_of_v<std::exception, E>) {
    return std::make_exception_ptr(remote_plain<E>(std::move(e), std::move(where)));
  } else if (nested == nullptr) {
    return std::make_exception_ptr(remote<E>(std::move(e), std::move(where), std::move(message)));
  } else {
    try {
      std::rethrow_exception(nested);
    } catch (...) {  // nested_exception takes what is being handled
      if constexpr (std::is_base_of_v<std::nested_exception, E>) {
        if constexpr (std::is_convertible_v<E*, std::nested_exception*>) static_cast<std::nested_exception&>(e) = std::nested_exception();
        return std::make_exception_ptr(remote<E>(std::move(e), std::move(where), std::move(message)));
      } else {
        return std::make_exception_ptr(remote_with_nested<E>(std::move(e), std::move(where), std::move(message)));
      }
    }
  }
}

/// How one type is written while it is being handled, and rebuilt.
struct exception_type {
  const std::type_info* type;
  void (*encode)(byte_writer& out);  // within a catch clause
  std::exception_ptr (*decode)(byte_reader& in, remote_info where, std::string message, const std::exception_ptr& nested);
};

/// Adds a type, before any pool is started. Registering the same type again is harmless.
void register_exception(exception_type type);

}  // namespace rankpool::detail
