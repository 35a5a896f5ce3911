// The address of a function or static object, in a form that is valid in every process of the same build.
//
// Address space randomisation places modules at different addresses. A code_address therefore consists of the build id of the
// module (the program or a shared library) and the offset within it. The receiver refuses a module that it has not loaded and an
// offset outside the module's code. Libraries may be loaded and unloaded at any time; a lookup never uses an unloaded module.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>

namespace rankpool::detail {

struct code_address {
  std::uint64_t module = 0;  ///< hash of the module's build id
  std::uint64_t offset = 0;  ///< from the module's load address
  friend auto operator<=>(code_address, code_address) = default;
};

/// Returns the code_address of a function. Throws: serialization_error if the address is outside the code of every loaded module.
code_address locate_code(const void* address);
/// Returns the address of a function in this process. Throws: serialization_error if the module is not loaded here or the offset is
/// outside its code.
const void* resolve_code(code_address where);

/// Returns the code_address of a static object; {} for an object outside every loaded module, on the heap or a stack.
code_address locate_object(const void* object);
/// Returns the address of a static object of `size` bytes in this process. Null if the module is not loaded in this process, if the
/// address is not aligned for a pointer, or if the object does not lie within the data of the module.
const void* find_object(code_address where, std::size_t size);

/// Returns the build id of this program, in hexadecimal.
std::string program_build_id();

/// locate_code() for a typed function pointer.
template <class R, class... A>
code_address locate_function(R (*f)(A...)) {
  return locate_code(reinterpret_cast<const void*>(f));
}

/// resolve_code() for a typed function pointer.
template <class Function>
Function resolve_function(code_address where) {
  return reinterpret_cast<Function>(const_cast<void*>(resolve_code(where)));
}

}  // namespace rankpool::detail
