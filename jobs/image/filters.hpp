// The image filters: each computes the rows of the result from a strip and its halo. Beyond the edges of the picture, the
// outermost pixels are repeated.
//
// The arithmetic is exact: sums are integers in 64 bits, or in doubles if they stay below 2^53. Each result is rounded once,
// halves up. A blur weights colors by their alpha, so that transparent pixels do not change the color of their neighbours.
#pragma once

#include <cstdint>

#include "image/operation.hpp"
#include "image/picture.hpp"

namespace jobs {

/// Returns the rows of the result, without a halo.
strip_samples filter_strip(const operation& what, const strip_rows& strip, const std::uint8_t* samples);

}  // namespace jobs
