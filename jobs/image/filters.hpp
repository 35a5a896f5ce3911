// The filters themselves: from a strip with its halo to the rows of the result. Beyond the edges of the picture its outermost
// pixels go on.
//
// Exact arithmetic throughout: sums are kept whole in 64-bit numbers, or in doubles where they stay below 2^53, and rounded
// once, halves up. Colours are weighted by their alpha when a blur mixes them, so that what is transparent does not shine through.
#pragma once

#include <cstdint>

#include "image/operation.hpp"
#include "image/picture.hpp"

namespace jobs {

/// The rows of the result, without a halo.
strip_samples filter_strip(const operation& what, const strip_rows& strip, const std::uint8_t* samples);

}  // namespace jobs
