// The picture model: rows of interleaved samples, gray or RGB, each with or without alpha, of 8 or 16 bits.
//
// Pictures are processed in strips of whole rows, with the rows above and below that a filter needs (the halo). No process holds a
// whole picture. 16-bit samples are in native byte order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace jobs {

/// Reports a picture that cannot be read or written. what() names the file and the reason.
struct picture_error : std::runtime_error {
  using std::runtime_error::runtime_error;
  picture_error() : std::runtime_error("") {}  // required to deserialize the exception from a worker

  template <class Archive>
  void serialize(Archive&, unsigned) {}
};

enum class picture_format { png, jpeg, pnm };

struct picture_layout {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t channels = 1;  // 1: gray, 2: gray and alpha, 3: RGB, 4: RGB and alpha
  std::uint32_t bits = 8;      // 8 or 16

  bool has_alpha() const { return channels % 2 == 0; }
  std::uint32_t colors() const { return channels - (has_alpha() ? 1 : 0); }
  std::size_t row_samples() const { return std::size_t{width} * channels; }
  std::size_t row_bytes() const { return row_samples() * (bits / 8); }
  std::uint64_t pixels() const { return std::uint64_t{width} * height; }
  friend bool operator==(const picture_layout&, const picture_layout&) = default;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& width& height& channels& bits;
  }
};

/// A strip: rows of a picture and its halo. The halo is shorter where the picture ends.
struct strip_rows {
  picture_layout layout;
  std::uint32_t first = 0;  // index of the first row in the picture
  std::uint32_t rows = 0;   // without the halo
  std::uint32_t above = 0;
  std::uint32_t below = 0;

  bool is_last() const { return first + rows == layout.height; }
  std::size_t stored_rows() const { return std::size_t{above} + rows + below; }

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& layout& first& rows& above& below;
  }

  static strip_rows at(const picture_layout& layout, std::uint32_t first, std::uint32_t most_rows, std::uint32_t halo) {
    const std::uint32_t rows = std::min(most_rows, layout.height - first);
    return {layout, first, rows, std::min(halo, first), std::min(halo, layout.height - first - rows)};
  }
};

/// The samples of a strip with its halo, beginning with the uppermost row of the halo.
using strip_samples = std::vector<std::uint8_t>;

}  // namespace jobs
