// What is done to a picture, with its parameters: grayscale, box blur, Gaussian blur, Sobel.
//
// Every result is an exactly rounded value of whole numbers, so that it depends on no division into strips.
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
  std::uint32_t radius = 0;            // of a blur: it looks at so many pixels to each side
  std::vector<std::uint32_t> weights;  // of a Gaussian, from its middle outwards; all together, both sides, weights_total

  static constexpr std::uint32_t weights_total = 65536;
  static constexpr std::uint32_t most_radius = 1000;

  /// Rows above and below that a row of the result depends on.
  std::uint32_t halo() const { return kind == operation_kind::sobel ? 1 : radius; }
  /// Gray for grayscale and Sobel; alpha is kept.
  picture_layout result_of(picture_layout from) const;
  bool makes_gray() const { return kind == operation_kind::grayscale || kind == operation_kind::sobel; }

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& kind& radius& weights;
  }
};

/// Weights of a Gaussian: each the mean of the bell at three places of its pixel, as ImageMagick takes it, in 1/65536.
/// They add up exactly, none is larger than one further in, and none is off by more than one, but for the middle's two.
/// `radius` is at least 1.
std::vector<std::uint32_t> gaussian_weights(double sigma, std::uint32_t radius);

/// Shares of red, green and blue in a gray (Rec. 709), in 1/65536.
inline constexpr std::uint32_t luma_red = 13937, luma_green = 46868, luma_blue = 4731;
static_assert(luma_red + luma_green + luma_blue == 65536);

}  // namespace jobs
