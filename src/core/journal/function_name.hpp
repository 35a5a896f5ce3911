// What a task's function is called, for people.
#pragma once

#include <cstdint>
#include <string>
#include <typeinfo>

namespace rankpool::detail {

/// Of the function at `address`, as far as the program knows its name, else of the callable's type. Blocks: the first call reads
/// the program's symbols.
std::string function_name(std::uintptr_t address, const std::type_info& callable);

/// Without its parameters and what else only a compiler wants to see, in some sixty characters.
std::string in_short(std::string name);

}  // namespace rankpool::detail
