// Memory that the ranks of one node share. One rank creates it, and the others map it for reading.
//
// The memory has no name in a file system. Other ranks open it through the descriptor of a rank that has it. The kernel frees it
// when the last mapping and descriptor are gone, also if ranks are killed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace rankpool::detail {

/// A mapping of shared memory.
class shared_segment {
 public:
  /// Creates shared memory with a copy of `content`. Throws: std::bad_alloc if the node lacks memory; error if it fails otherwise.
  static std::shared_ptr<shared_segment> create(std::span<const std::byte> content);
  /// Creates writable shared memory of `size` bytes. Throws: std::bad_alloc if the node lacks memory; error if it fails otherwise.
  static std::shared_ptr<shared_segment> create(std::size_t size);
  /// Maps the shared memory that process `pid` has created as `descriptor`, for reading. Throws: std::bad_alloc if this process has
  /// no address space for it; error if it fails otherwise.
  static std::shared_ptr<shared_segment> map(int pid, int descriptor, std::size_t size);

  shared_segment(const shared_segment&) = delete;
  shared_segment& operator=(const shared_segment&) = delete;
  ~shared_segment();

  /// Returns the memory. It is writable only if it was created without content.
  std::span<std::byte> bytes() const { return {data_, size_}; }
  /// Returns the descriptor of this process that others pass to map(), also if another process has created the memory.
  int descriptor() const { return descriptor_; }

 private:
  shared_segment(int descriptor, std::byte* data, std::size_t size) : descriptor_(descriptor), data_(data), size_(size) {}

  const int descriptor_;
  std::byte* const data_;
  const std::size_t size_;
};

/// Returns a copy of the bytes in private memory, aligned to 64 bytes. Throws: std::bad_alloc.
std::shared_ptr<const std::byte> aligned_copy(std::span<const std::byte> bytes);

}  // namespace rankpool::detail
