// What a journal needs to know of a call to find it again in a later run.
#pragma once

#include <rankpool/detail/wire/code_address.hpp>

#include <cstdint>
#include <typeinfo>

namespace rankpool::detail {

/// The function of a map, a reduction or a submitted task, and the type of its results.
struct call_description {
  code_address function;    ///< a task_function
  std::uintptr_t identity;  ///< distinguishes callables that share a task_function
  const std::type_info& callable;
  const std::type_info& result;  ///< of an item, or of a chunk that has one result
  bool by_items;                 ///< a chunk has one result for each item, otherwise one for the whole chunk
};

}  // namespace rankpool::detail
