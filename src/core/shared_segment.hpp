// Memory that the ranks of one node share: made by one of them, mapped by the others for reading.
//
// It has no name in a file system: it is reached through its maker's descriptor, and goes with the last mapping, also when
// ranks are killed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace rankpool::detail {

class shared_segment {
 public:
  /// A copy in memory of this process. Throws std::bad_alloc if the node has not so much left, error.
  static std::shared_ptr<shared_segment> create(std::span<const std::byte> content);
  /// Room for so many bytes, to be written once. Throws as above.
  static std::shared_ptr<shared_segment> create(std::size_t size);
  /// Of the process that has made it, for reading. Throws error.
  static std::shared_ptr<shared_segment> map(int pid, int descriptor, std::size_t size);

  shared_segment(const shared_segment&) = delete;
  shared_segment& operator=(const shared_segment&) = delete;
  ~shared_segment();

  /// Writable only where it was made as room.
  std::span<std::byte> bytes() const { return {data_, size_}; }
  /// What map() takes elsewhere.
  int descriptor() const { return descriptor_; }

 private:
  shared_segment(int descriptor, std::byte* data, std::size_t size) : descriptor_(descriptor), data_(data), size_(size) {}

  const int descriptor_;  // -1 where it is not the maker's
  std::byte* const data_;
  const std::size_t size_;
};

/// A copy in this process's own memory, aligned for any type.
std::shared_ptr<const std::byte> aligned_copy(std::span<const std::byte> bytes);

}  // namespace rankpool::detail
