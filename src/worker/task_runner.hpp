// The interface through which a worker calls a task or an executor's initializer.
//
// The interface passes only bytes, so that an implementation may call the function in another process.
#pragma once

#include <rankpool/detail/wire/block.hpp>
#include <rankpool/detail/wire/bytes.hpp>
#include <rankpool/detail/wire/code_address.hpp>

#include <cstddef>
#include <span>

namespace rankpool::detail {

class task_runner {
 public:
  /// The function to call, with its encoded arguments. Lifetime: the views are valid until run() returns.
  struct call {
    code_address function;  ///< the address of a task_function
    std::span<const std::byte> payload;
    blocks_view out_of_band;
  };
  struct answer {
    byte_buffer bytes;   ///< the encoded result, or the encoded exception
    blocks out_of_band;  ///< of the result
    bool threw = false;
  };

  virtual ~task_runner() = default;

  /// Calls the function and returns its answer. If the process does not contain the function, the answer is an exception.
  /// Blocks: until the function returns.
  virtual answer run(const call& what) = 0;
};

}  // namespace rankpool::detail
