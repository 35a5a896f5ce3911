// --verify: a written picture is read again, and pixels of every strip are compared with what the definition of the filter
// gives for them, computed one by one from the input in other ways than the filters go.
#pragma once

#include <string>

#include "image/picture_task.hpp"

namespace jobs {

/// The value of one sample of the result by its definition: a sum over the whole window, in integers.
/// `samples` are those of `strip`; x, y within it.
std::uint32_t sample_by_definition(const operation& what, const strip_rows& strip, const std::uint8_t* samples, std::uint32_t x,
                                   std::uint32_t y, std::uint32_t channel);

/// The first difference found between the picture in the file `written` and what it should be; empty if there is none.
/// A JPEG's pixels are not exact: there the filter's values before they are encoded are compared, and the file has to be, byte for
/// byte, what they are encoded to.
/// Throws: picture_error.
std::string difference(const picture_settings& settings, const picture_files& files, const std::string& written);

}  // namespace jobs
