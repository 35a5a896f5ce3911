// The name of a task's function, as people read it.
#pragma once

#include <cstdint>
#include <string>
#include <typeinfo>

namespace rankpool::detail {

/// Returns the name of the function at `address`; empty if it is 0 or the program's symbols do not contain it. Complexity: the
/// first call reads the program's symbols.
std::string symbol_name(std::uintptr_t address);

/// Returns the symbol_name(), or the type name of the callable if that is empty.
std::string function_name(std::uintptr_t address, const std::type_info& callable);

/// Shortens a function's name to at most 60 characters: removes parameters, anonymous namespaces and ABI tags.
std::string short_name(std::string name);

}  // namespace rankpool::detail
