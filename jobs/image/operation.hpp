// The filter applied to a picture, with its parameters: grayscale, box blur, Gaussian blur or Sobel.
//
// Every result value is an exact rational number rounded once, so it does not depend on how the picture is divided into strips.
#pragma once

#include <boost/serialization/vector.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "image/picture.hpp"

namespace jobs {

enum class operation_kind { grayscale, box, gaussian, sobel };

struct operation {
  operation_kind kind = operation_kind::grayscale;
  std::uint32_t radius = 0;            // of a blur: its window reaches this many pixels to each side
  std::vector<std::uint32_t> weights;  // of a Gaussian, from its middle outwards; those of both sides add up to weights_total

  static constexpr std::uint32_t weights_total = 65536;
  static constexpr std::uint32_t most_radius = 1000;

  /// Returns the number of rows above and below a result row that it depends on.
  std::uint32_t halo() const { return kind == operation_kind::sobel ? 1 : radius; }
  /// Returns the layout of the result: gray for grayscale and Sobel. Alpha is kept.
  picture_layout result_of(picture_layout from) const;
  bool makes_gray() const { return kind == operation_kind::grayscale || kind == operation_kind::sobel; }

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& kind& radius& weights;
  }
};

/// Returns the weights of a Gaussian in units of 1/65536. Each is the mean of the bell curve at three points of its pixel, as in
/// ImageMagick. The weights add up exactly and do not increase outwards. Rounding changes the weight of the center by at most 2,
/// and each other by at most 1. `radius` is at least 1.
std::vector<std::uint32_t> gaussian_weights(double sigma, std::uint32_t radius);

/// Weights of red, green and blue in a gray value (Rec. 709), in units of 1/65536.
inline constexpr std::uint32_t luma_red = 13937, luma_green = 46868, luma_blue = 4731;
static_assert(luma_red + luma_green + luma_blue == 65536);

}  // namespace jobs
