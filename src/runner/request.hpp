// A batch of calls in memory that a rank and its runner process share: the executor's initializer, then where each call begins,
// then the calls. A runner that replaces a dead one reads the same batch again.
#pragma once

#include "runner/growing_memory.hpp"
#include "runner/task_runner.hpp"

#include <rankpool/detail/wire/block.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace rankpool::detail {

/// Writes a batch, and returns its size in bytes. `initializer`: function 0 if there is none. `by_address`: the runner reads blocks
/// from this process; otherwise the batch has a copy. It reads remote blocks from where they are. Throws: std::bad_alloc; error.
/// Lifetime: with `by_address`, the blocks must live until the calls are answered.
std::size_t write_request(growing_memory& to, const task_runner::call& initializer, std::span<const task_runner::call> calls,
                          bool by_address);

/// A call as read from a batch. It owns its blocks.
struct received_call {
  task_runner::call call;
  blocks out_of_band;
};

/// Reads a batch. Lifetime: the calls point into the memory.
class request_reader {
 public:
  request_reader(const std::byte* data, std::size_t size) : data_(data), size_(size) {}
  /// Throws: error if memory for a block cannot be allocated, or the batch is damaged.
  received_call initializer() const { return read(0); }
  received_call call(std::uint32_t index) const { return read(index + 1); }

 private:
  received_call read(std::size_t entry) const;

  const std::byte* data_;
  std::size_t size_;
};

}  // namespace rankpool::detail
