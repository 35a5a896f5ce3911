// How a result in a journal becomes JSON text: one printer for each type of result, found at run time by that type.
//
// A call names the type of its results, and instantiates no printer. Printers are registered instead: by the library for the types
// that src/journal/result_printers.cpp lists, by a program with RANKPOOL_REGISTER_RESULT. An instantiation in the call, switched on
// by another header, would give two source files two definitions of one template.
#pragma once

#include <rankpool/detail/wire/bytes.hpp>

#include <string>
#include <typeinfo>

namespace rankpool::detail {

/// Reads one result and appends its JSON text; false if it has none. Throws serialization_error.
using result_printer = bool (*)(byte_reader& in, std::string& out);

/// The printer of this type of result; null if none is registered. Thread safety: any thread, as the next two.
result_printer find_result_printer(const std::type_info& result);

/// A type may be registered several times: the latest registration that has not been removed counts.
void register_result_printer(const std::type_info& result, result_printer print);
/// Removes one registration of the type with the same printer: their library is being unloaded.
void unregister_result_printer(const std::type_info& result, result_printer print) noexcept;

}  // namespace rankpool::detail
