// Implements --verify: reads a written picture and compares pixels of every strip with the definition of the filter. The expected
// values are computed pixel by pixel from the input, by other algorithms than those of the filters.
#pragma once

#include <string>

#include "image/picture_task.hpp"

namespace jobs {

/// Returns one sample of the result by the definition of the filter: a sum over the whole window, in integers. `samples` belong to
/// `strip`; `x` and `y` are relative to the strip.
std::uint32_t sample_by_definition(const operation& what, const strip_rows& strip, const std::uint8_t* samples, std::uint32_t x,
                                   std::uint32_t y, std::uint32_t channel);

/// Returns the first difference between the picture in the file `written` and the expected
/// picture; empty if there is none. A JPEG's pixels are not exact: the filter's values before
/// encoding are compared instead, and the file must equal their encoding byte for byte. Throws:
/// picture_error.
std::string difference(const picture_settings& settings, const picture_files& files, const std::string& written);

}  // namespace jobs
