// Memory that two processes share and that grows. The process that creates it keeps its descriptor. The other opens it through
// /proc, each time that it needs it, because a task may close every descriptor of its process.
#pragma once

#include <cstddef>
#include <span>

namespace rankpool::detail {

/// Thread safety: none. The two processes must agree on who writes which bytes, and when.
class growing_memory {
 public:
  /// Creates memory. Throws: error.
  explicit growing_memory(const char* name);
  /// Opens the memory that process `pid` has created as `descriptor`. Throws: error.
  growing_memory(int pid, int descriptor);
  growing_memory(const growing_memory&) = delete;
  growing_memory& operator=(const growing_memory&) = delete;
  ~growing_memory();

  /// Allocates at least `size` bytes. The address may change. Throws: std::bad_alloc if the node lacks memory; error.
  std::byte* allocate(std::size_t size);
  /// Maps `size` bytes, which one of the processes has allocated. The address may change. Throws: std::bad_alloc; error, also in
  /// the process that created the memory if it is smaller than `size`.
  std::byte* map(std::size_t size);
  /// Frees the memory if it is large. All contents are lost.
  void shrink();

  std::byte* data() const { return data_; }
  /// Returns the descriptor in the process that created the memory.
  int descriptor() const { return descriptor_; }

 private:
  class opened;

  const int pid_;
  const int descriptor_;
  std::byte* data_ = nullptr;
  std::size_t mapped_ = 0;
  std::size_t allocated_ = 0;  // by this process
};

}  // namespace rankpool::detail
