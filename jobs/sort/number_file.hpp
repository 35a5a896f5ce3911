// Describes where numbers lie in a file. Tasks process a range of them in blocks that fit into the cache of a core.
#pragma once

#include <fcntl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <rankpool/result_file.hpp>
#include <span>
#include <string>
#include <vector>

#include "sort/sort_key.hpp"
#include "support/file_io.hpp"
#include "support/npy.hpp"

namespace jobs {

struct number_file {
  std::string path;
  element_type type = element_type::int64;
  std::uint64_t offset = 0;  // bytes before the first number
  std::uint64_t count = 0;

  std::uint64_t bytes() const { return count * size_of(type); }
  std::uint64_t place(std::uint64_t index) const { return offset + index * size_of(type); }

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& path& type& offset& count;
  }
};

/// A file of numbers that tasks write and later read.
struct number_target : number_file {
  rankpool::result_writer writer;

  template <class Archive>
  void serialize(Archive& archive, unsigned version) {
    number_file::serialize(archive, version);
    archive& writer;
  }
};

inline constexpr std::size_t block_bytes = std::size_t{1} << 18;

/// Calls `visit(keys, index of the first key)` for each block of the numbers in [first, last), in order. Throws: file_error.
template <class Number, class Visit>
void for_each_block(const file& from, const number_file& numbers, std::uint64_t first, std::uint64_t last, Visit visit) {
  using key = key_of<Number>;
  std::vector<key> block(std::min<std::uint64_t>(block_bytes / sizeof(key), last - first));
  ::posix_fadvise(from.descriptor(), static_cast<off_t>(numbers.place(first)), static_cast<off_t>((last - first) * sizeof(key)),
                  POSIX_FADV_SEQUENTIAL);
  while (first < last) {
    const std::span keys = std::span(block).first(std::min<std::uint64_t>(block.size(), last - first));
    from.read_items(keys, numbers.place(first));
    to_keys<Number>(keys);
    visit(keys, first);
    first += keys.size();
  }
}

/// Writes the numbers of `keys` from index `first` on. Converts `keys` to numbers in place. Throws: file_error.
template <class Number>
void write_numbers(const number_target& numbers, std::span<key_of<Number>> keys, std::uint64_t first) {
  constexpr std::size_t at_once = 4 * block_bytes / sizeof(Number);
  rankpool::result_part to(numbers.writer);
  for (std::size_t i = 0; i < keys.size(); i += at_once) {
    const std::span part = keys.subspan(i, std::min(at_once, keys.size() - i));
    from_keys<Number>(part);
    to.write(std::as_bytes(part), numbers.place(first + i));
    // Starts writeback now: if it started at the end, waiting for the disk would double the time.
    ::sync_file_range(to.descriptor(), static_cast<off64_t>(numbers.place(first + i)), static_cast<off64_t>(part.size_bytes()),
                      SYNC_FILE_RANGE_WRITE);
  }
  to.finish();
}

}  // namespace jobs
