// RANKPOOL_REGISTER_RESULT(type): journals show results of this type.
//
//   struct point { double x, y; };
//   RANKPOOL_REGISTER_RESULT(point)
//
// Stands at namespace scope in the program that writes the journal. `journal_reader::for_each_result` and `rankpool journal` then
// give each result of that type as JSON text: numbers as numbers, text as strings; pairs, tuples, ranges and plain structs as
// arrays; other types with operator<< as the string that it writes. Numbers, std::string, mpz_class, void, and std::vector of these
// are registered already. Results of other types are kept in the journal as well, but have no text.
//
// <rankpool/rankpool.hpp> does not include this header, because the printer takes longer to compile than the rest of a call.
//
// The registration ends when the program or library that contains it is unloaded. Calls that began before it have no text.
#pragma once

#include <rankpool/detail/journal/json_text.hpp>
#include <rankpool/detail/journal/result_printer.hpp>

#include <type_traits>
#include <typeinfo>

namespace rankpool::detail {

template <class R>
struct registered_result {
  static_assert(std::is_same_v<R, std::remove_cvref_t<R>>, "RANKPOOL_REGISTER_RESULT: name the type without const or &");

  registered_result() { register_result_printer(typeid(R), &print_result<R>); }
  ~registered_result() { unregister_result_printer(typeid(R), &print_result<R>); }
  registered_result(const registered_result&) = delete;
  registered_result& operator=(const registered_result&) = delete;
};

}  // namespace rankpool::detail

#define RANKPOOL_DETAIL_RESULT_JOIN2(a, b) a##b
#define RANKPOOL_DETAIL_RESULT_JOIN(a, b) RANKPOOL_DETAIL_RESULT_JOIN2(a, b)

/// At namespace scope, with or without a semicolon: journals show results of this type as JSON text.
#define RANKPOOL_REGISTER_RESULT(...)                                                                           \
  [[maybe_unused]] static const ::rankpool::detail::registered_result<__VA_ARGS__> RANKPOOL_DETAIL_RESULT_JOIN( \
      rankpool_registered_result_, __COUNTER__){};
