// The address of a function, or of an object of static storage, as it travels between processes of the same build.
//
// Address space randomisation moves every module, so it is named by the build id of the program or shared library
// that holds it and its offset there. A module that the receiver has not loaded, or an offset outside its code, is
// refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace rankpool::detail {

struct code_address {
  std::uint64_t module = 0;  ///< first bytes of the module's build id
  std::uint64_t offset = 0;  ///< from the module's load address
  friend bool operator==(code_address, code_address) = default;
};

/// Throws serialization_error for an address outside every loaded module.
code_address locate_code(const void* address);
/// Throws serialization_error when the module is not loaded here or the offset is not in its code.
const void* resolve_code(code_address where);

/// Module 0 for an object outside every loaded module: on a heap or stack.
code_address locate_object(const void* object);
/// Null when the module is not loaded here or has no `size` bytes, aligned for a pointer, at that offset.
const void* find_object(code_address where, std::size_t size);

/// What tells this program's build from another: its build id in hexadecimal.
std::string program_build_id();

template <class R, class... A>
code_address locate_function(R (*f)(A...)) {
  return locate_code(reinterpret_cast<const void*>(f));
}

template <class Function>
Function resolve_function(code_address where) {
  return reinterpret_cast<Function>(const_cast<void*>(resolve_code(where)));
}

}  // namespace rankpool::detail
